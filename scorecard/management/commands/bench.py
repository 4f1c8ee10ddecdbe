from django.core.management import CommandError
from django.core.management.base import BaseCommand

from benchmarks.harness import Report, benches


class Command(BaseCommand):
    help = "Measures one part of the product beside its peer: medians of at least three runs taken in turn."

    def add_arguments(self, parser):
        parser.add_argument("name", nargs="?", help="which; without it the names are listed")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        parser.add_argument(
            "--size", default="national", help="how large a country: national, or what the benchmark offers"
        )
        parser.add_argument("--check", action="store_true", help="fail where a goal is missed")

    def handle(self, *, name, json, size, check, **options):
        known = benches()
        if name is None:
            self.stdout.write("\n".join(known))
            return
        if name not in known:
            raise CommandError(f"no benchmark is called {name}; there are: {', '.join(known) or 'none'}")
        report = Report(emit=lambda line: self.write(line, json))
        known[name](report, {"size": size})
        if check and not report.ok:
            raise CommandError("a goal was missed")

    def write(self, line, as_json):
        if as_json:
            self.stdout.write(line.as_json())
        else:
            beside = f"  beside {line.beside} {line.beside_value:.4g}: {line.ratio:.3g}" if line.beside else ""
            goal = f"  goal {line.goal}: {'met' if line.ok else 'MISSED'}" if line.goal else ""
            self.stdout.write(f"{line.name}: {line.value:.4g} {line.unit}{beside}{goal}")
        self.stdout.flush()
