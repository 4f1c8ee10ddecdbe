"""Where events gather: counts on a grid, density, Gi*, near repeats and how hot spots change. Pure, but for reading."""
