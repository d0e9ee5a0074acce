# One image for web, worker, scheduler and migration; docker-compose.yml says which runs what.

FROM python:3.11-slim AS packages
COPY requirements.lock launch/uv.lock /build/
RUN python -m venv /build/uv \
 && /build/uv/bin/pip install --no-cache-dir --require-hashes -r /build/uv.lock \
 && python -m venv --without-pip /opt/throughline \
 && /build/uv/bin/uv pip install --no-cache --python /opt/throughline/bin/python \
        --require-hashes --compile-bytecode -r /build/requirements.lock

FROM python:3.11-slim
ENV PATH=/opt/throughline/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    THROUGHLINE_DATA=/data \
    THROUGHLINE_STATIC=/srv/static
RUN useradd --system --uid 10001 --home-dir /data throughline \
 && install -d -o throughline -g throughline -m 0700 /data
COPY --from=packages /opt/throughline /opt/throughline
WORKDIR /app
COPY . .
# The settings serve collected files under names with their digests where this directory exists.
# The keys sign nothing: collecting only needs the settings to load.
RUN install -d /srv/static \
 && SECRET_KEY=only-for-this-step \
    THROUGHLINE_ENCRYPTION_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
    python manage.py collectstatic --noinput
USER throughline
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 \
    CMD ["python", "-m", "launch.probe", "web"]
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--workers", "2", "--threads", "8", "--graceful-timeout", "20", "--timeout", "60", \
     "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
