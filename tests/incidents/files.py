"""Small files in the Ministry's layout, for the traps that real ones hold."""

import csv
from datetime import date, time

import xlsxwriter

ROW = {
    "tipo_muerte": "ASESINATO",
    "zona": "ZONA 8",
    "codigo_subcircuito": "09D01C01S01",
    "canton": "GUAYAQUIL",
    "codigo_canton": "0901",
    "coordenada_y": -2.2,
    "coordenada_x": -79.9,
    "area_hecho": "URBANO",
    "lugar": "VIA PUBLICA",
    "fecha_infraccion": date(2023, 5, 17),
    "hora_infraccion": time(21, 30),
    "arma": "ARMA DE FUEGO",
    "tipo_arma": "PISTOLA",
    "edad": 30,
    "medida_edad": "A",
    "sexo": "HOMBRE",
    "etnia": "MESTIZO/A",
    "nacionalidad": "ECUADOR",
    "profesion_registro_civil": "ESTUDIANTE",
}
HEADER = list(ROW)


def row(**changes):
    """A row of the file, with what is said changed."""
    assert set(changes) <= set(ROW), changes
    return {**ROW, **changes}


def cells(rows, header=HEADER):
    """Header and rows as lists of cells."""
    return [list(header), *([row[name] for name in header] for row in rows)]


def write_csv(path, rows, header=HEADER, delimiter=";", encoding="utf-8", cover=(), end="\r\n"):
    lines = [*cover, *cells(rows, header)]
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(
            [_written(c) for c in line] for line in lines
        )
    return path


def _written(cell):
    if isinstance(cell, date):
        return f"{cell:%d/%m/%Y}"
    if isinstance(cell, time):
        return f"{cell:%H:%M}"
    return str(cell).replace(".", ",") if isinstance(cell, float) else cell


def write_xlsx(path, rows, header=HEADER, cover_sheet=False):
    with xlsxwriter.Workbook(path) as book:
        if cover_sheet:
            book.add_worksheet("Portada").write_column(0, 0, ["Ministerio del Interior", "Homicidios intencionales"])
        sheet = book.add_worksheet("Datos")
        formats = {date: book.add_format({"num_format": "yyyy-mm-dd"}), time: book.add_format({"num_format": "hh:mm"})}
        for at, line in enumerate(cells(rows, header)):
            for column, cell in enumerate(line):
                if isinstance(cell, date | time):
                    sheet.write_datetime(at, column, cell, formats[type(cell)])
                else:
                    sheet.write(at, column, cell)
    return path
