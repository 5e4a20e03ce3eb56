/** The page's only stylesheet; its digest is in the content security policy. */
export const style = `
:root{color-scheme:light dark;--line:#8884;--soft:#8881}
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:1.5rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
small{opacity:.7}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid var(--soft)}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(16rem,1fr));gap:1rem}
figure{margin:0;border:1px solid var(--line);border-radius:.4rem;padding:.6rem}
figure ul{list-style:none;margin:0;padding:0;font-size:.85rem}figure li::before{content:"";display:inline-block;width:.8em;height:.2em;margin-right:.4em;vertical-align:middle;background:currentColor}
svg{width:100%;height:6rem;display:block}path{fill:none;stroke:currentColor;stroke-width:1.5;vector-effect:non-scaling-stroke}
.stroke-0{color:#2b7de9}.stroke-1{color:#d9822b}.stroke-2{color:#2e9e5b}.stroke-3{color:#b04fd0}.stroke-4{color:#c23b3b}.stroke-5{color:#5a6b7b}
.topology{display:flex;flex-wrap:wrap;gap:.8rem}.topology section{border:1px solid var(--line);border-radius:.4rem;padding:.5rem .8rem}
.topology h3{font-size:1rem;margin:0}.topology ul{list-style:none;margin:0;padding:0}
.good::before{content:"● ";color:#2e9e5b}.bad::before{content:"● ";color:#c23b3b}.busy::before{content:"● ";color:#d9822b}
`
