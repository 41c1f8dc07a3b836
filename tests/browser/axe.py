"""axe-core, which finds what people with disabilities cannot use; ``make browser`` installs it."""

import json
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "npm/node_modules/axe-core/axe.min.js"


def missing():
    return None if SCRIPT.exists() else "axe-core"


def violations(driver, selector=None):
    """
    What is wrong with the page, serious or critical: the rule, and where.

    Args:
        selector: judge this part of the page alone.
    """
    driver.execute_script(SCRIPT.read_text("utf-8"))
    found = driver.execute_async_script(
        """
        const [selector, done] = arguments;
        axe.run(selector ?? document).then(({violations}) => done(JSON.stringify(violations)));
        """,
        selector,
    )
    return [
        f"{one['id']}: {node['html']}"
        for one in json.loads(found)
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
