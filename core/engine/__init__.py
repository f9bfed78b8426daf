"""The worker process that runs generations and the engine that owns it."""
