import pytest

from . import guide
from .__main__ import PROJECTS

GUIDE = """
## 1. Install

```sh
pip install app
```

```python
INSTALLED_APPS = ["app"]
```

## 2. Columns

```sh
python manage.py makemigrations
python manage.py migrate
```
"""


def test_the_commands_of_a_step_are_the_lines_of_its_shell_blocks():
    assert list(guide.commands(1, GUIDE)) == ["pip install app"]
    assert list(guide.commands(2, GUIDE)) == [
        "python manage.py makemigrations",
        "python manage.py migrate",
    ]


def test_a_step_that_the_guide_does_not_have_is_an_error():
    with pytest.raises(LookupError, match="no step 3"):
        list(guide.commands(3, GUIDE))


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_each_step_of_a_project_has_commands_in_the_guide(project):
    assert all(list(guide.commands(step)) for step in project.steps)
