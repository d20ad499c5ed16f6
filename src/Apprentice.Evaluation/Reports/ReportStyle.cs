namespace Apprentice.Evaluation.Reports;

/// <summary>The look of <c>report.html</c>: by day and by night, from 360 pixels up.</summary>
internal static class ReportStyle
{
    public const string Css = """
        :root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --text: #1b2330; --soft: #5a6577; --line: #d9dee6; --track: #eceff4;
          --good: #13713f; --bad: #a3301f; --c0: #a9b1bd; --c1: #6d8fc7; --c2: #1f9d6b; --c3: #b07cc6; --valid: #d9822b; }
        @media (prefers-color-scheme: dark) { :root { --ground: #12161d; --card: #1a2029; --text: #e6eaf0; --soft: #9aa6b8; --line: #313a48; --track: #252d39;
          --good: #5fd39a; --bad: #ff8f7d; --c0: #6a7484; --c1: #6d97dd; --c2: #35b981; --c3: #c08fd6; --valid: #f0a350; } }
        * { box-sizing: border-box; }
        body { margin: 0; padding: 24px 16px; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
        header, main, footer { max-width: 1080px; margin: 0 auto; }
        h1 { font-size: clamp(24px, 5vw, 36px); line-height: 1.2; margin: 4px 0 8px; }
        h1.good { color: var(--good); } h1.bad { color: var(--bad); }
        h2 { font-size: 20px; line-height: 1.3; margin: 0 0 12px; } h3 { font-size: 14px; margin: 0 0 6px; }
        p, dl, ul { margin: 0 0 12px; } .kicker, .note, footer { color: var(--soft); font-size: 14px; } .lead { font-size: 17px; max-width: 75ch; }
        section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 20px; margin: 16px 0; }
        .split { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); gap: 24px; }
        .split > *, .answers > * { min-width: 0; }
        svg { display: block; width: 100%; max-width: 520px; height: auto; }
        svg text { fill: var(--text); font: 12px system-ui, sans-serif; } svg .strong { font-weight: 600; } svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
        .track { fill: var(--track); } .bar.c0 { fill: var(--c0); } .bar.c1 { fill: var(--c1); } .bar.c2 { fill: var(--c2); } .bar.c3 { fill: var(--c3); }
        .whisker { stroke: var(--text); stroke-width: 1.3; fill: none; } .grid { stroke: var(--line); fill: none; }
        .faint, .line { fill: none; stroke: var(--c1); } .faint { opacity: .35; } svg .line { stroke-width: 2; } svg .dot { fill: var(--valid); }
        .key { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin: 0 6px 0 0; vertical-align: -1px; }
        .key.c0 { background: var(--c0); } .key.c1, .key.line { background: var(--c1); } .key.c2 { background: var(--c2); } .key.c3 { background: var(--c3); }
        .key.dot { background: var(--valid); border-radius: 50%; margin-left: 8px; }
        .legend { list-style: none; padding: 0; font-size: 14px; } .legend li { margin: 0 0 4px; }
        .scroll { overflow-x: auto; margin: 0 0 8px; } table { border-collapse: collapse; width: 100%; font-size: 14px; }
        th, td { text-align: right; padding: 6px; border-bottom: 1px solid var(--line); vertical-align: top; font-variant-numeric: tabular-nums; }
        th:first-child { text-align: left; padding-left: 0; } td small { display: block; color: var(--soft); font-size: 12px; white-space: nowrap; }
        dl { font-size: 14px; } dt { font-weight: 600; } dd { margin: 0 0 8px; color: var(--soft); overflow-wrap: anywhere; }
        .facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; align-content: start; } .facts dd { margin: 0; color: var(--text); }
        article { border-top: 1px solid var(--line); padding: 14px 0 4px; } .prompt { font-weight: 600; white-space: pre-wrap; overflow-wrap: anywhere; }
        .answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 230px), 1fr)); gap: 12px; margin: 0 0 10px; }
        pre { margin: 0 0 8px; padding: 10px; background: var(--ground); border-radius: 6px; font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
        .marks { font-size: 13px; margin: 0; } .marks span { white-space: nowrap; margin-right: 6px; } .right { color: var(--good); } .wrong { color: var(--bad); }
        @media (max-width: 480px) { body { padding: 16px 8px; } section { padding: 14px 12px; } th, td { padding: 6px 4px; } .facts { grid-template-columns: 1fr; gap: 0; } .facts dd { margin: 0 0 8px; } }

        """;
}
