"""The gate's report as JUnit XML, which CI systems show by test case."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from reports.gate.findings import Finding, GateReport
from reports.gate.output.words import finding_text

_INVALID_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(report: GateReport, *, allow_inconclusive: bool = False) -> str:
    """One test case a finding: failures carry what was found; what makes the gate inconclusive is an error unless it
    is allowed; the rest of what could not be judged is skipped.
    """
    root = ET.Element("testsuites", name="bakeoff gate")
    for engine in dict.fromkeys(finding.engine for finding in report.findings):
        findings = [finding for finding in report.findings if finding.engine == engine]
        marks = [_mark(finding, allow_inconclusive) for finding in findings]
        suite = ET.SubElement(root, "testsuite", name=_clean(engine), tests=str(len(findings)))
        for attribute, mark in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite.set(attribute, str(marks.count(mark)))
        for finding, mark in zip(findings, marks, strict=True):
            _add_case(suite, finding, mark)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _mark(finding: Finding, allow_inconclusive: bool) -> str:
    if finding.fails:
        return "failure"
    if finding.verdict == "inconclusive" and finding.decides and not allow_inconclusive:
        return "error"
    return "skipped" if finding.verdict in ("inconclusive", "not comparable", "new") else ""


def _add_case(suite: ET.Element, finding: Finding, mark: str) -> None:
    parts = (finding.settings, finding.filter, finding.load, finding.metric)
    label = " · ".join(part for part in parts if part) or finding.task or finding.engine
    name = f"{finding.engine}.{finding.task or 'engine'}"
    case = ET.SubElement(suite, "testcase", classname=_clean(name), name=_clean(label), time="0")
    text = _clean(finding_text(finding))
    if mark == "skipped":
        ET.SubElement(case, mark, message=f"{finding.verdict}: {text}")
    elif mark:
        ET.SubElement(case, mark, type=finding.verdict, message=text)
    else:
        ET.SubElement(case, "system-out").text = f"{finding.verdict}: {text}"


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 forbids even when escaped."""
    return _INVALID_XML.sub("\ufffd", text)
