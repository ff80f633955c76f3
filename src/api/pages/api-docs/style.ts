export const STYLE = `:root { color-scheme: light dark; --ink: #1b1f24; --dim: #57606c; --line: #d5dae1; --page: #f4f5f7; --card: #fff; --accent: #9c4313; --get: #0b5cad; --post: #1f7a3f; --change: #8a5a00; --delete: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaee; --dim: #a3acb8; --line: #353c46; --page: #14171b; --card: #1c2026; --accent: #e58a52; --get: #7ab8ff; --post: #7fd69b; --change: #e8b866; --delete: #ff9c8f; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; font: 15px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--page); display: grid; grid-template-columns: 20rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.2rem 1rem 2rem; border-right: 1px solid var(--line); background: var(--card); font-size: .88rem; }
nav ul { list-style: none; margin: .2rem 0 .5rem; padding: 0 0 0 .4rem; }
nav li a { display: block; padding: .12rem .3rem; color: inherit; text-decoration: none; overflow-wrap: anywhere; border-radius: 4px; }
nav li a:hover { background: var(--page); }
nav details details { padding-left: .6rem; }
summary { cursor: pointer; padding: .15rem 0; }
.brand { margin: 0 0 .8rem; font-weight: 700; letter-spacing: .04em; }
a, .brand a { color: var(--accent); }
main { width: 100%; max-width: 62rem; padding: 1.6rem 2rem 6rem; }
h1 { margin: 0 0 .6rem; font-size: 1.7rem; }
h2 { margin: 2.6rem 0 .8rem; font-size: 1.3rem; }
h3 { margin: 0 0 .5rem; font-size: 1.02rem; overflow-wrap: anywhere; }
h4 { margin: 1.1rem 0 .3rem; font-size: .86rem; color: var(--dim); }
.operation { margin: 0 0 1.2rem; padding: 1.1rem 1.3rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.operation:target { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
p { margin: .4rem 0; }
.dim, .type { color: var(--dim); font-size: .9em; font-weight: 400; }
.type { overflow-wrap: anywhere; }
.needed { color: var(--accent); font-size: .85em; }
.method { font: 700 .74rem/1 ui-monospace, monospace; color: var(--get); }
.method.post { color: var(--post); } .method.put, .method.patch { color: var(--change); } .method.delete { color: var(--delete); }
code { font: .92em ui-monospace, monospace; overflow-wrap: anywhere; }
pre { margin: .3rem 0; padding: .7rem .9rem; font: .84rem/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--page); border: 1px solid var(--line); border-radius: 8px; }
.members { list-style: none; margin: .2rem 0; padding: 0; }
.members li { padding: .22rem 0; border-top: 1px solid var(--line); }
.members li:first-child { border-top: 0; }
.members .members { margin-left: .7rem; padding-left: .7rem; border-left: 2px solid var(--line); }
.prose { display: block; }
p > .prose { display: inline; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
@media (max-width: 60rem) { body { display: block; } nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line); } nav > details { max-height: 45vh; overflow-y: auto; } main { padding: 1.2rem 1rem 4rem; } .operation { padding: .9rem .9rem; } }
@media print { nav { display: none; } body { display: block; } }
`
