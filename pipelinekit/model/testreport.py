"""What the tests of a build came to, as its report files tell it."""

from enum import StrEnum

from pipelinekit.model.noun import Noun


class ReportFormat(StrEnum):
    """The formats of report files that CodeBuild reads."""

    JUNIT_XML = "JUNITXML"
    NUNIT_XML = "NUNITXML"
    NUNIT3_XML = "NUNIT3XML"
    TESTNG_XML = "TESTNGXML"
    CUCUMBER_JSON = "CUCUMBERJSON"
    VISUAL_STUDIO_TRX = "VISUALSTUDIOTRX"
    CLOVER_XML = "CLOVERXML"
    COBERTURA_XML = "COBERTURAXML"
    JACOCO_XML = "JACOCOXML"
    SIMPLECOV = "SIMPLECOV"


class FailedCase(Noun):
    """A test that failed.

    Attributes:
        name: Its full name.
        message: What it said, shortened.
    """

    name: str
    message: str = ""


class TestReport(Noun):
    """The sum of the report files of one report group; counts of what a format lacks are 0.

    Attributes:
        group: The report group, as the buildspec names it.
        format: Of its files.
        passed: How many tests passed.
        failed: How many failed, or broke off with an error.
        skipped: How many were left out.
        seconds: How long all of them took.
        failures: The first of those that failed.
        lines_covered: How many lines of code were run.
        lines_total: How many there are; 0 where the report tells nothing of coverage.
        branches_covered: How many branches were taken.
        branches_total: How many there are.
    """

    __test__ = False  # for pytest, which takes what is called Test for a test

    group: str
    format: ReportFormat
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    failures: tuple[FailedCase, ...] = ()
    lines_covered: int = 0
    lines_total: int = 0
    branches_covered: int = 0
    branches_total: int = 0
