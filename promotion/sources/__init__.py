"""Who tells us: payload → facts, one module per sender; pure, without database or clock."""
