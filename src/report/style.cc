#include "report/style.h"

namespace ap::report {

const std::string_view kStyleSheet = R"css(
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--soft:#57606a;--rule:#d0d7de;--grid:#e7ebef;--panel:#f6f8fa;--good:#0b6b3a;--link:#0057a3;
--p0:#4a4a4a;--p1:#b34700;--p2:#8a2f8f;--p3:#0057a3;--p4:#00695a;--p5:#c2185b;--p6:#6b5900;--p7:#50606e;--p8:#7a5230;--p9:#3d3d8f}
@media (prefers-color-scheme:dark){:root{--paper:#0f1419;--ink:#e6edf3;--soft:#a3adb8;--rule:#3a444f;--grid:#252d36;--panel:#182029;--good:#5fd49a;--link:#7bb8ff;
--p0:#c9c9c9;--p1:#ff9a57;--p2:#e08be5;--p3:#69b7ff;--p4:#4fd1b5;--p5:#ff7fae;--p6:#e5cf4a;--p7:#a3b4c2;--p8:#d3a27a;--p9:#a9a9ff}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
header,main,footer{max-width:74rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.5rem}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .25rem}
h2{font-size:1.25rem;line-height:1.3;margin:2.75rem 0 .5rem;padding-top:.75rem;border-top:1px solid var(--rule)}
h3{font-size:1.05rem;margin:1.5rem 0 .5rem}
p{max-width:46rem;margin:.5rem 0}
a{color:var(--link)}
nav ol{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:.75rem 0;padding-left:1.25rem}
nav li{padding-right:.25rem}
.source{color:var(--soft);font-size:.875rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,15rem),1fr));gap:.75rem;margin:1rem 0;padding:0;list-style:none}
.tiles li{background:var(--panel);border:1px solid var(--rule);border-radius:.5rem;padding:.75rem 1rem}
.tiles b{display:block;font-size:1.5rem;line-height:1.25;color:var(--good)}
.tiles span{color:var(--soft);font-size:.9375rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,25rem),1fr));gap:1rem 1.5rem;margin:.75rem 0}
figure{margin:0;min-width:0;max-width:35rem}
figcaption{font-weight:600;font-size:.9375rem;margin-bottom:.25rem}
figure svg{display:block;width:100%;height:auto}
svg text{font-size:12px;fill:var(--ink)}
svg .name{fill:var(--soft)}
svg .end{text-anchor:end}
svg .mid{text-anchor:middle}
svg .note{fill:var(--soft)}
.grid{stroke:var(--grid);fill:none}
.axis,.tick{stroke:var(--soft);fill:none}
.level{stroke:var(--soft);stroke-dasharray:2 3;fill:none}
.line{fill:none;stroke:var(--c);stroke-width:1.75;stroke-linejoin:round}
.mark{fill:var(--c);stroke:var(--c);stroke-width:1.2}
.whisker{fill:none;stroke:var(--c);stroke-width:1.2}
.bar{fill:var(--c);fill-opacity:.35;stroke:var(--c);stroke-width:.5}
.lead{fill:none;stroke:var(--c);stroke-width:.75;opacity:.7}
svg .label{fill:var(--c);font-weight:600}
svg .label,svg .note{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}
.faint .line,.faint .mark{opacity:.45}
.c0{--c:var(--p0)}.c1{--c:var(--p1)}.c2{--c:var(--p2)}.c3{--c:var(--p3)}.c4{--c:var(--p4)}.c5{--c:var(--p5)}.c6{--c:var(--p6)}.c7{--c:var(--p7)}.c8{--c:var(--p8)}.c9{--c:var(--p9)}
.c1 .line{stroke-dasharray:7 3}.c2 .line{stroke-dasharray:2 2.5}.c4 .line{stroke-dasharray:8 3 2 3}.c6 .line{stroke-dasharray:12 3}.c7 .line{stroke-dasharray:4 3}.c8 .line{stroke-dasharray:1 3}.c9 .line{stroke-dasharray:6 2 1 2 1 2}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;padding:0;margin:.5rem 0;font-size:.9375rem}
.legend li{display:flex;align-items:center;gap:.4rem}
.scroll{overflow-x:auto;max-width:100%;margin:.75rem 0}
.scroll:focus-visible,summary:focus-visible,a:focus-visible{outline:2px solid var(--link);outline-offset:2px}
table{border-collapse:collapse;font-size:.9375rem;overflow-wrap:normal}
caption{text-align:left;color:var(--soft);padding-bottom:.35rem;position:sticky;left:0;max-width:min(90vw,46rem);overflow-wrap:anywhere}
th,td{padding:.3rem .55rem;border-bottom:1px solid var(--rule);text-align:left;white-space:nowrap}
thead th{color:var(--soft);font-weight:600;vertical-align:bottom;white-space:normal;overflow-wrap:normal}
tbody th{font-weight:600;position:sticky;left:0;background:var(--paper);max-width:18rem;white-space:normal;overflow-wrap:break-word}
th:first-child{padding-left:0}
.n{text-align:right;font-variant-numeric:tabular-nums}
tr.best td,tr.best th{background:var(--panel)}
details{margin:.5rem 0}
summary{cursor:pointer;color:var(--link);padding:.35rem 0}
.ladder{display:grid;gap:.75rem;margin:1rem 0;padding:0;list-style:none;max-width:52rem}
.ladder b{font-variant-numeric:tabular-nums}
.ladder svg{display:block;width:100%;height:14px;margin-top:.2rem}
.ladder .bar{fill-opacity:1}
footer{color:var(--soft);font-size:.875rem;margin-top:3rem;padding-bottom:2rem}
@media (max-width:30rem){table{font-size:.875rem}th,td{padding:.3rem .45rem}tbody th{max-width:8rem}}
@media print{details{display:block}.scroll{overflow:visible}}
)css";

}  // namespace ap::report
