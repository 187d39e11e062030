"""This file is the sheet: how a report looks, on paper, on a light screen and on a dark one."""

from __future__ import annotations

__all__ = ["SHEET"]

_LIGHT = (
    "--ground:#eceff2;--panel:#ffffff;--line:#d0d6dd;--text:#1b2128;--quiet:#5a6673;--now:#00718f;--past:#97a1ac;"
    "--band:rgba(90,102,115,.16);--caution:#9a5b00"
)
_DARK = (
    "--ground:#0f1216;--panel:#171b21;--line:#2a313b;--text:#e4e8ed;--quiet:#93a0af;--now:#3ec6e0;--past:#6b7684;"
    "--band:rgba(147,160,175,.18);--caution:#f0b23a"
)

SHEET = f"""
:root {{ color-scheme: light dark; {_LIGHT} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {_DARK} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; max-width: 1080px; padding: 28px 20px 48px; background: var(--ground); color: var(--text);
  font: 14px/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }}
h1 {{ font-size: 24px; line-height: 1.25; margin: 0 0 4px; }}
h2 {{ font-size: 17px; margin: 32px 0 8px; }}
h3 {{ font-size: 15px; margin: 0; }}
p {{ margin: 6px 0; max-width: 78ch; }}
.quiet, figcaption, th {{ color: var(--quiet); }}
.verdict {{ font-size: 17px; line-height: 1.45; margin: 16px 0; padding: 12px 16px; background: var(--panel);
  border: 1px solid var(--line); border-left: 4px solid var(--now); border-radius: 5px; max-width: none; }}
.verdict.missed {{ border-left-color: var(--caution); }}
.facts {{ display: flex; flex-wrap: wrap; gap: 2px 24px; margin: 10px 0 0; }}
.facts div {{ display: flex; gap: 6px; }}
.facts dt {{ color: var(--quiet); }}
.facts dd {{ margin: 0; font-variant-numeric: tabular-nums; }}
.panel {{ background: var(--panel); border: 1px solid var(--line); border-radius: 5px; padding: 12px 14px;
  margin: 10px 0; break-inside: avoid; }}
.long {{ break-inside: auto; }}
.plots {{ display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 10px; margin-top: 6px; }}
.plots.wide {{ grid-template-columns: repeat(2, minmax(0, 1fr)); }}
figure {{ margin: 0; }}
figcaption {{ font-size: 12px; }}
svg {{ display: block; width: 100%; height: auto; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
th {{ text-align: left; font-weight: 600; }}
th, td {{ padding: 4px 18px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; }}
td.number, th.number {{ text-align: right; }}
.label {{ font-size: 10.5px; fill: var(--quiet); }}
.name {{ font-size: 11px; fill: var(--text); stroke: var(--panel); stroke-width: 3px; stroke-linejoin: round;
  paint-order: stroke; }}
.axis, .leader {{ stroke: var(--past); stroke-width: 1; }}
.leader {{ stroke-width: .6; }}
.bar {{ fill: var(--now); fill-opacity: .55; }}
.band {{ fill: var(--band); }}
.edge, .aim, .right, .thin, .curve {{ fill: none; stroke-width: 1; }}
.edge {{ stroke: var(--quiet); stroke-dasharray: 5 3; }}
.aim {{ stroke: var(--caution); stroke-dasharray: 1.5 3; stroke-width: 1.4; }}
.right {{ stroke: var(--quiet); stroke-width: .8; }}
.thin {{ stroke: var(--past); stroke-width: .9; }}
.curve {{ stroke: var(--now); stroke-width: 1.9; }}
.point {{ fill: var(--now); }}
.recorded {{ fill: none; stroke: var(--text); stroke-width: 1.2; stroke-linejoin: round; }}
.simulated {{ fill: none; stroke: var(--now); stroke-width: 1; stroke-dasharray: 3 1.5; stroke-linejoin: round; }}
.told {{ fill: var(--now); fill-opacity: .28; }}
.untold {{ fill: none; stroke: var(--quiet); stroke-width: 1.6; }}
.seen {{ fill: var(--text); }}
.asked {{ fill: var(--panel); stroke: var(--text); stroke-width: 1.4; }}
.astray {{ fill: var(--caution); stroke: var(--text); stroke-width: 1.4; }}
@media print {{ body {{ background: #fff; max-width: none; padding: 0; font-size: 11px; }} .panel, .verdict
  {{ border-color: #bbb; }} h2 {{ break-after: avoid; }} tr {{ break-inside: avoid; }} }}
@media screen and (max-width: 760px) {{ .plots, .plots.wide {{ grid-template-columns: 1fr; }} }}
"""
"""The page's style: one colour for what was measured, grey for what is expected, dots and dashes for aims."""
