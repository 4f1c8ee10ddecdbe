from django.contrib.staticfiles.finders import FileSystemFinder


class Finder(FileSystemFinder):
    """Of the plotting package only the script is collected: not its example data, nor its notebook's half."""

    def list(self, ignore_patterns):
        return super().list([*(ignore_patterns or ()), "datasets", "templates", "widgetbundle.js"])
