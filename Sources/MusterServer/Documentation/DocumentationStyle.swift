/// How the page of the documentation looks, in light and in dark.
enum DocumentationStyle {
  /// What the page's policy allows: this text and no other. A test computes it anew.
  static let hash = "sha256-PW2E0x6gsqeDTvt5kjX5v2g06gJqIApvIMgPWS19JSQ="

  static let text: StaticString = """
    :root{color-scheme:light dark;--ink:#1c2024;--soft:#5b6570;--page:#fff;--panel:#f5f7f9;--line:#dfe4e9;--link:#0b62c4;\
    --get:#0a7d46;--post:#0b62c4;--put:#8a4b00;--patch:#7a3db8;--delete:#b3261e}\
    @media(prefers-color-scheme:dark){:root{--ink:#e4e8ec;--soft:#9aa5b1;--page:#14171a;--panel:#1c2126;--line:#2e353c;\
    --link:#6cb0ff;--get:#4cc38a;--post:#6cb0ff;--put:#f0a04b;--patch:#c297f5;--delete:#ff8a80}}\
    *{box-sizing:border-box}html{scroll-padding-top:1rem}\
    body{margin:0;display:grid;grid-template-columns:17rem minmax(0,1fr);font:16px/1.55 system-ui,sans-serif;color:var(--ink);\
    background:var(--page)}\
    a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}\
    code,pre,.method{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.875em}\
    nav{position:sticky;top:0;height:100vh;overflow-y:auto;padding:1.25rem 1rem;background:var(--panel);\
    border-right:1px solid var(--line);font-size:.875rem}\
    nav h2{margin:1.1rem 0 .3rem;font-size:.75rem;letter-spacing:.06em;text-transform:uppercase;color:var(--soft)}\
    nav ul{margin:0;padding:0;list-style:none}nav li a{display:block;padding:.15rem 0;color:var(--ink);white-space:nowrap;\
    overflow:hidden;text-overflow:ellipsis}\
    nav .method{display:inline-block;width:3.6rem;font-size:.6875rem}\
    .brand{margin:0;font-size:1.125rem;font-weight:600}.brand a{color:var(--ink)}\
    main{width:100%;max-width:62rem;padding:1.5rem 2.5rem 6rem}\
    h1{margin:.2rem 0 0;font-size:1.75rem;line-height:1.25}\
    section>h2{margin:3rem 0 0;padding-bottom:.3rem;border-bottom:2px solid var(--line);font-size:1.25rem}\
    article{padding:1.6rem 0 .6rem}article+article{border-top:1px solid var(--line)}\
    article:target h3{text-decoration:underline;text-decoration-color:var(--link);text-underline-offset:.3em}\
    h3{margin:0;font-size:1.0625rem;overflow-wrap:anywhere}h3 code{font-size:1em}\
    h4{margin:1.2rem 0 .4rem;font-size:.75rem;letter-spacing:.06em;text-transform:uppercase;color:var(--soft)}\
    p{margin:.5rem 0}.name{color:var(--soft);font-size:.875rem}\
    .method{font-weight:700}.GET{color:var(--get)}.POST{color:var(--post)}.PUT{color:var(--put)}.PATCH{color:var(--patch)}\
    .DELETE{color:var(--delete)}.good{color:var(--get)}.bad{color:var(--delete)}\
    .required{color:var(--delete);font-size:.75rem;font-weight:600}\
    .note{display:inline-block;padding:0 .45rem;border:1px solid var(--line);border-radius:1rem;font-size:.75rem;\
    color:var(--soft);white-space:nowrap}\
    .scroll{overflow-x:auto}table{width:100%;border-collapse:collapse;font-size:.875rem}\
    th{padding:.3rem .8rem .3rem 0;text-align:left;font-weight:600;color:var(--soft);border-bottom:1px solid var(--line)}\
    td{padding:.35rem .8rem .35rem 0;vertical-align:top;border-bottom:1px solid var(--line)}tr:last-child td{border-bottom:0}\
    td:first-child{white-space:nowrap}\
    summary{cursor:pointer;color:var(--link);font-size:.875rem}\
    pre{margin:0;padding:.8rem 1rem;overflow-x:auto;background:var(--panel);border:1px solid var(--line);border-radius:.4rem}\
    pre code{font-size:.8125rem}\
    @media(max-width:52rem){body{display:block}nav{position:static;height:auto;max-height:45vh;border-right:0;\
    border-bottom:1px solid var(--line)}main{padding:1rem 1rem 4rem}}
    """
}
