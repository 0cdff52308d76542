"""A stored run shown: terminal, JSON, JUnit, Markdown, HTML. Projections: they read verdicts and never decide one.

Look through a run once with `survey(report)` and hand the result to each report as `surveyed`.
"""

from plangate.reports.causes import Cause
from plangate.reports.json_report import run_document
from plangate.reports.junit import write_junit
from plangate.reports.markdown import markdown_report
from plangate.reports.matrix_table import TableRow, matrix_table, print_matrix, write_matrix_csv
from plangate.reports.progress import ProgressDisplay, Tick, progress_display
from plangate.reports.rules import RULES
from plangate.reports.survey import Survey, survey
from plangate.reports.terminal import print_report
from plangate.reports.write import REPORT_SUFFIXES, report_suffix, write_report

__all__ = [
    "REPORT_SUFFIXES",
    "RULES",
    "Cause",
    "ProgressDisplay",
    "Survey",
    "TableRow",
    "Tick",
    "markdown_report",
    "matrix_table",
    "print_matrix",
    "print_report",
    "progress_display",
    "report_suffix",
    "run_document",
    "survey",
    "write_junit",
    "write_matrix_csv",
    "write_report",
]
