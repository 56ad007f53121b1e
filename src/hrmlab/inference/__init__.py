"""Running a trained model: answers to puzzles, and how good they are."""
