"""What content of before 2023 imports of Panther's tool: the containers of the event, which are in `panther_core` now."""
