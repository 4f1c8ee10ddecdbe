"""The large map of a unit: any level below it, any month of ten years, two months side by side."""
