"""What the two simulated Jiras have, in the words of the two organisations of samples/jira/supplier-customer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
    "acme": {
        "types": {"Epic": "Programme", "Bug": "Field Report", "Story": "Change Request", "Sub-task": "Work Step"},
        "statuses": {
            "To Do": "Registered",
            "In Progress": "Analysis",
            "In Review": "Verification",
            "Blocked": "On Hold",
            "Done": "Released",
            "Won't Do": "Rejected",
        },
        "priorities": {"Highest": "P1", "High": "P2", "Medium": "P3", "Low": "P4", "Lowest": "P5"},
        "fields": {
            "Occurred At": "Failure Date",
            "Severity": "Failure Class",
            "Platforms": "Product",
            "Customer Reference": "Customer Plant",
            "Cost Estimate": "Quote",
            "Location": "Assembly",
        },
        "options of Failure Class": {
            "Critical": "A (safety)",
            "Major": "B (stop)",
            "Minor": "C (reduced)",
            "Cosmetic": "D (looks)",
        },
        "options of Product": {"HPC-200": "hpc200", "HPC-400": "hpc400", "HPC-400 ATEX": "hpc400 atex", "Simulator": "sim"},
        "options of Assembly": {
            "Pump": "Rotor unit",
            "Impeller": "Wheel",
            "Shaft seal": "Mechanical seal",
            "Bearing": "Roller bearing",
            "Housing": "Casing",
            "Controller": "Drive electronics",
            "Hydraulics": "Power pack",
        },
        "users": {"s.oneil": "ext-s.oneil", "w.chen": "ext-w.chen"},
    },
    "globex": {
        "types": {"Epic": "Vorhaben", "Bug": "Störung", "Story": "Änderung", "Task": "Aufgabe", "Sub-task": "Teilaufgabe"},
        "statuses": {
            "To Do": "Offen",
            "In Progress": "In Arbeit",
            "In Review": "In Prüfung",
            "Blocked": "Wartet",
            "Done": "Erledigt",
            "Won't Do": "Abgelehnt",
        },
        "priorities": {"Highest": "Sofort", "High": "Bald", "Medium": "Üblich", "Low": "Später", "Lowest": "Irgendwann"},
        "fields": {
            "Occurred At": "Aufgetreten am",
            "Severity": "Schwere",
            "Platforms": "Anlagen",
            "Steps": "Angebot",
            "Location": "Bauteil",
        },
        "options of Schwere": {
            "Critical": "Sicherheit",
            "Major": "Stillstand",
            "Minor": "Eingeschränkt",
            "Cosmetic": "Optik",
        },
        "options of Bauteil": {
            "Pump": "Pumpe",
            "Impeller": "Laufrad",
            "Shaft seal": "Dichtung",
            "Bearing": "Lager",
            "Housing": "Gehäuse",
            "Controller": "Steuerung",
            "Hydraulics": "Hydraulik",
            "Power stage": "Leistungsteil",
            "Field bus": "Feldbus",
            "Display": "Anzeige",
            "Relief valve": "Ventil",
            "Accumulator": "Speicher",
            "Hoses": "Schläuche",
            "Test bench": "Prüfstand",
        },
    },
}
