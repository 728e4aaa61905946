"""What shared lines cost: cache line, contention, requests, and this computer beside the model."""
