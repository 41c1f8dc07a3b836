"""What is not collected where a package that it imports is not installed."""

from importlib.util import find_spec

IMPORTS = {
    "etag_versioning/benchmark": ("httpx", "matplotlib", "rich"),
    "etag_versioning/contrib/client": ("httpx",),
    "etag_versioning/rest_framework": ("rest_framework",),
    "etag_versioning/rest_framework/adrf.py": ("adrf",),
    "etag_versioning/rest_framework/schema.py": ("drf_spectacular",),
    "tests/audit/test_example_project.py": ("drf_spectacular", "httpx", "rest_framework", "rich"),
    "tests/audit/test_other_causes.py": ("rest_framework",),
    "tests/audit/test_related_rows.py": ("rest_framework",),
    "tests/browser": ("rest_framework",),
    "tests/checks/honest_project": ("rest_framework",),
    "tests/client": ("httpx",),
    "tests/client/test_pages.py": ("drf_spectacular", "gunicorn", "rest_framework"),
    "tests/client/test_server.py": ("drf_spectacular", "gunicorn", "rest_framework"),
    "tests/example_project": ("drf_spectacular", "httpx", "rest_framework", "rich"),
    "tests/honesty": ("rest_framework",),
    "tests/javascript": ("drf_spectacular", "httpx", "rest_framework", "rich"),
    "tests/proxies": ("drf_spectacular", "httpx", "rest_framework"),
    "tests/runtime_audit/test_example_project.py": (
        "drf_spectacular",
        "httpx",
        "rest_framework",
        "rich",
    ),
    "tests/runtime_audit/test_viewsets.py": ("rest_framework",),
    "tests/rest_framework": ("django_filters", "rest_framework", "rest_framework_nested"),
}

collect_ignore = [
    path for path, packages in IMPORTS.items() if any(find_spec(name) is None for name in packages)
]
