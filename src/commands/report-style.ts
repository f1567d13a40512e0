/** The style of the page: colours of the reader's own scheme, nothing to be loaded. */
export const STYLE = `
:root { color-scheme: light dark; --line: #d0d0d7; --soft: #f4f4f7; --faint: #5b5b66; --bad: #b3261e; --good: #1b6e3c; }
@media (prefers-color-scheme: dark) {
  :root { --line: #44444f; --soft: #23232a; --faint: #a9a9b5; --bad: #ff8a80; --good: #7ddc9f; }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; margin: 0.5rem 0; }
h2 { font-size: 1.1rem; margin: 1.2rem 0 0.3rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.6rem 0.25rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--faint); white-space: nowrap; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td, code, pre { overflow-wrap: anywhere; }
code, pre { font: 0.875rem/1.45 ui-monospace, monospace; }
pre { background: var(--soft); border: 1px solid var(--line); padding: 0.7rem; white-space: pre-wrap; margin: 0.3rem 0; }
details { border: 1px solid var(--line); border-radius: 0.4rem; margin: 0.5rem 0; padding: 0 0.9rem; }
details > :last-child { margin-bottom: 0.8rem; }
h2 code { font-size: 1rem; }
summary { cursor: pointer; padding: 0.5rem 0; font-weight: 600; overflow-wrap: anywhere; }
summary span { font-weight: 400; color: var(--faint); }
p { margin: 0.4rem 0; }
.faint { color: var(--faint); }
.minus { color: var(--bad); }
.plus { color: var(--good); }
`;
