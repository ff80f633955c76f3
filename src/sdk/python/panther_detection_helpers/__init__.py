"""What rules import as `panther_detection_helpers`."""
