"""What content from before 2023 imports from Panther's tool: the event's containers, which are now in `panther_core`."""
