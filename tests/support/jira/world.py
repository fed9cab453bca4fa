"""What a new simulated Jira has before anybody makes an issue: the like of the embedded tracker's default project."""

from __future__ import annotations

from itertools import count

from tests.support.jira.flavours import Flavour
from tests.support.jira.records import (
    Field,
    FieldType,
    IssueType,
    Json,
    LinkType,
    Named,
    Option,
    SecurityLevel,
    Status,
    Transition,
    User,
    Workflow,
)

PLUGIN = "com.atlassian.jira.plugin.system.customfieldtypes"
AGILE = "com.pyxis.greenhopper.jira"
PEOPLE = {
    "a.lindqvist": "Anna Lindqvist",
    "b.okafor": "Blessing Okafor",
    "c.moreau": "Camille Moreau",
    "d.petrov": "Дмитрий Петров",
    "h.tanaka": "田中 春香",
    "j.becker": "Jörg Becker",
    "l.haddad": "ليلى حداد",
    "m.silva": "Mateus Silva",
    "r.novak": "Radka Nováková",
    "s.oneil": "Siobhán O'Neil",
    "t.weber": "Tobias Weber",
    "w.chen": "陈伟",
}
ZONES = {"h.tanaka": "Asia/Tokyo", "m.silva": "America/Sao_Paulo", "j.becker": "Europe/Berlin"}
STATUSES = [
    Status("10000", "To Do", "new"),
    Status("3", "In Progress", "indeterminate"),
    Status("10001", "In Review", "indeterminate"),
    Status("10002", "Blocked", "indeterminate"),
    Status("10003", "Done", "done"),
    Status("10004", "Won't Do", "done"),
]
TYPES = [
    IssueType("10000", "Epic", 1, "plan"),
    IssueType("10001", "Story", 0, "work"),
    IssueType("10002", "Task", 0, "work"),
    IssueType("10004", "Bug", 0, "work"),
    IssueType("10003", "Sub-task", -1, "work"),
]
PRIORITIES = [Named(str(n), name) for n, name in enumerate(("Highest", "High", "Medium", "Low", "Lowest"), 1)]
RESOLUTIONS = [Named(str(n), name) for n, name in enumerate(("Done", "Won't Do", "Duplicate", "Cannot Reproduce"), 10000)]
LINK_TYPES = [
    LinkType("10000", "Blocks", "is blocked by", "blocks"),
    LinkType("10001", "Cloners", "is cloned by", "clones"),
    LinkType("10002", "Duplicate", "is duplicated by", "duplicates"),
    LinkType("10003", "Relates", "relates to", "relates to"),
]
ROLES = [Named("10000", "Users"), Named("10001", "Developers"), Named("10002", "Administrators")]
VERSIONS = ("0.9", "1.0", "1.0.1", "1.1", "2.0", "Rev C", "Rev D")
COMPONENTS = (
    "Firmware",
    "Motor control",
    "Field bus",
    "Hydraulics",
    "Electronics",
    "Service tool",
    "Documentation",
    "Test bench",
    "Manufacturing",
)
ELEMENTS = ("add", "set", "remove")


def people(flavour: Flavour, account_zone: str) -> list[User]:
    """The users; `filesync` is the agent's account, `x.gone` has left, `admin` may do all."""
    names = {"filesync": "FileSync Agent", "admin": "Site Admin", **PEOPLE, "x.gone": "Former Colleague"}
    users = []
    for number, (name, display) in enumerate(names.items(), 10100):
        user = User(
            key=f"JIRAUSER{number}" if name != "j.becker" else name,  # one from before keys were told apart from names
            name=name,
            account=f"712020:00000000-0000-4000-8000-0000000{number}",
            display=display,
            email=f"{name}@example.com",
            zone=account_zone if name == "filesync" else ZONES.get(name, "UTC"),
            active=name != "x.gone",
            email_hidden=flavour.cloud and name != "filesync",
            password=f"password of {name}",
            token=f"token-of-{name}",
            admin=name == "admin",
        )
        user.roles |= {"Administrators"} if name in {"admin", "filesync"} else set()
        users.append(user)
    return users


def workflows() -> dict[str, Workflow]:
    """Two workflows by name, as the embedded tracker's default project has them."""
    work = [
        ("Start", ("To Do",), "In Progress"),
        ("Ask for review", ("In Progress",), "In Review"),
        ("Accept", ("In Review",), "Done"),
        ("Send back", ("In Review",), "In Progress"),
        ("Block", ("In Progress",), "Blocked"),
        ("Unblock", ("Blocked",), "In Progress"),
        ("Put back", ("In Progress",), "To Do"),
        ("Decline", ("To Do", "In Progress", "Blocked"), "Won't Do"),
        ("Reopen", ("Done", "Won't Do"), "To Do"),
    ]
    plan = [
        ("Start", ("To Do",), "In Progress"),
        ("Finish", ("In Progress",), "Done"),
        ("Decline", ("To Do", "In Progress"), "Won't Do"),
        ("Reopen", ("Done", "Won't Do"), "To Do"),
    ]
    made: dict[str, Workflow] = {}
    for name, steps in {"work": work, "plan": plan}.items():
        numbers = count(11, 10)
        made[name] = Workflow("To Do", [Transition(str(next(numbers)), *step) for step in steps])
        for transition in made[name].transitions:
            if transition.name in {"Accept", "Decline", "Finish"}:
                transition.screen = ("resolution", "assignee", "fixVersions")
    return made


def levels(users: list[User]) -> dict[str, SecurityLevel]:
    """Two security levels: one for all but j.becker, one for all."""
    keys = {user.key for user in users}
    return {
        "10100": SecurityLevel("10100", "Internal", keys - {"j.becker"}),
        "10101": SecurityLevel("10101", "Partners", keys),
    }


def _system() -> list[Field]:
    text = FieldType.TEXT
    fields = [
        Field("summary", "Summary", text, {"type": "string", "system": "summary"}, required=True),
        Field("description", "Description", FieldType.TEXTAREA, {"type": "string", "system": "description"}),
        Field("issuetype", "Issue Type", FieldType.ISSUETYPE, {"type": "issuetype", "system": "issuetype"}, required=True),
        Field("project", "Project", FieldType.PROJECT, {"type": "project", "system": "project"}, required=True),
        Field("parent", "Parent", FieldType.PARENT, {"type": "issuelink", "system": "parent"}),
        Field("priority", "Priority", FieldType.PRIORITY, {"type": "priority", "system": "priority"}),
        Field(
            "resolution", "Resolution", FieldType.RESOLUTION, {"type": "resolution", "system": "resolution"}, on_screens=False
        ),
        Field("security", "Security Level", FieldType.SECURITY, {"type": "securitylevel", "system": "security"}),
        Field("assignee", "Assignee", FieldType.USER, {"type": "user", "system": "assignee"}),
        Field("reporter", "Reporter", FieldType.USER, {"type": "user", "system": "reporter"}, required=True),
        Field("duedate", "Due date", FieldType.DATE, {"type": "date", "system": "duedate"}),
        Field("environment", "Environment", FieldType.TEXTAREA, {"type": "string", "system": "environment"}),
        Field("timetracking", "Time tracking", FieldType.TIME, {"type": "timetracking", "system": "timetracking"}),
        Field("issuelinks", "Linked Issues", FieldType.LINKS, {"type": "array", "items": "issuelinks", "system": "issuelinks"}),
        Field("comment", "Comment", FieldType.COMMENTS, {"type": "comments-page", "system": "comment"}),
    ]
    for field_id, name, kind, items in (
        ("labels", "Labels", FieldType.LABELS, "string"),
        ("components", "Component/s", FieldType.COMPONENTS, "component"),
        ("fixVersions", "Fix Version/s", FieldType.VERSIONS, "version"),
        ("versions", "Affects Version/s", FieldType.VERSIONS, "version"),
    ):
        schema = {"type": "array", "items": items, "system": field_id}
        fields.append(Field(field_id, name, kind, schema, operations=ELEMENTS))
    for field_id, name, schema_type in (
        ("status", "Status", "status"),
        ("creator", "Creator", "user"),
        ("created", "Created", "datetime"),
        ("updated", "Updated", "datetime"),
        ("resolutiondate", "Resolved", "datetime"),
        ("votes", "Votes", "votes"),
        ("watches", "Watchers", "watches"),
        ("timespent", "Time Spent", "number"),
        ("timeestimate", "Remaining Estimate", "number"),
        ("timeoriginalestimate", "Original Estimate", "number"),
        ("worklog", "Log Work", "array"),
        ("attachment", "Attachment", "array"),
        ("subtasks", "Sub-Tasks", "array"),
        ("workratio", "Work Ratio", "number"),
        ("lastViewed", "Last Viewed", "datetime"),
    ):
        fields.append(Field(field_id, name, FieldType.COMPUTED, {"type": schema_type, "system": field_id}, on_screens=False))
    return fields


def _custom(ids: count[int]) -> list[Field]:
    t = FieldType
    options = {
        "Severity": ["Critical", "Major", "Minor", "Cosmetic"],
        "Platforms": ["HPC-200", "HPC-400", "HPC-400 ATEX", "Simulator"],
        "Checks": ["Leak test", "Burn-in", "Calibration"],
        "Risk": ["High", "Low"],
        "Team": ["Pumps", "Drives"],
    }
    rows: list[tuple[str, str, FieldType, str, str]] = [
        ("Severity", "select", t.OPTION, "option", ""),
        ("Risk", "radiobuttons", t.OPTION, "option", ""),
        ("Platforms", "multiselect", t.OPTIONS, "array", "option"),
        ("Checks", "multicheckboxes", t.OPTIONS, "array", "option"),
        ("Location", "cascadingselect", t.CASCADE, "option-with-child", ""),
        ("Story Points", "float", t.NUMBER, "number", ""),
        ("Cost Estimate", "float", t.NUMBER, "number", ""),
        ("Occurred At", "datetime", t.DATETIME, "datetime", ""),
        ("Test Date", "datepicker", t.DATE, "date", ""),
        ("Customer Reference", "textfield", t.TEXT, "string", ""),
        ("Steps", "textarea", t.TEXTAREA, "string", ""),
        ("Data Sheet", "url", t.URL, "string", ""),
        ("Serial Numbers", "labels", t.LABELS, "array", "string"),
        ("Verifier", "userpicker", t.USER, "user", ""),
        ("Reviewers", "multiuserpicker", t.USERS, "array", "user"),
        ("Target Version", "version", t.VERSION, "version", ""),
        ("Target Versions", "multiversion", t.VERSIONS, "array", "version"),
        ("Team", "select", t.OPTION, "option", ""),  # two fields of one name: Jira allows it
        ("Team", "textfield", t.TEXT, "string", ""),
        ("Ref: internal", "textfield", t.TEXT, "string", ""),
        ("Internal Notes", "textarea", t.TEXTAREA, "string", ""),  # on no screen
    ]
    fields = []
    for name, custom, kind, schema_type, items in rows:
        number = next(ids)
        schema: dict[str, Json] = {"type": schema_type, "custom": f"{PLUGIN}:{custom}", "customId": number}
        if items:
            schema["items"] = items
        made = [Option(str(next(ids)), value) for value in options.get(name, []) if kind in {t.OPTION, t.OPTIONS}]
        operations = ELEMENTS if schema_type == "array" else ("set",)
        field = Field(f"customfield_{number}", name, kind, schema, made, operations, on_screens=name != "Internal Notes")
        fields.append(field)
    return fields


def _cascade(ids: count[int]) -> list[Option]:
    places = {
        "Pump": ["Impeller", "Shaft seal", "Bearing", "Housing"],
        "Controller": ["Power stage", "Bootloader", "Field bus", "Display"],
        "Hydraulics": ["Relief valve", "Accumulator", "Hoses"],
        "Test bench": [],
    }
    return [Option(str(next(ids)), place, [Option(str(next(ids)), part) for part in parts]) for place, parts in places.items()]


def _agile(flavour: Flavour, ids: count[int]) -> list[Field]:
    rows = [("Sprint", "gh-sprint", FieldType.SPRINT, "array"), ("Rank", "gh-lexo-rank", FieldType.OPAQUE, "any")]
    if flavour.dc:
        rows.append(("Epic Link", "gh-epic-link", FieldType.EPIC_LINK, "any"))
        rows.append(("Epic Name", "gh-epic-label", FieldType.TEXT, "string"))
    fields = []
    for name, custom, kind, schema_type in rows:
        number = next(ids)
        schema: dict[str, Json] = {"type": schema_type, "custom": f"{AGILE}:{custom}", "customId": number}
        if name == "Sprint":
            schema["items"] = "json" if flavour.cloud else "string"
        fields.append(Field(f"customfield_{number}", name, kind, schema, on_screens=name != "Rank"))
    return fields


def fields(flavour: Flavour) -> dict[str, Field]:
    """All fields by id; those of custom fields and options follow their order here."""
    ids = count(10010)
    made = [*_system(), *_agile(flavour, ids), *_custom(ids)]
    places = next(field for field in made if field.name == "Location")
    places.options = _cascade(ids)
    return {field.id: field for field in made}
