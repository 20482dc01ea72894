package report

// pageText is the template of the page. Its elements are closed like those of XML.
const pageText = `<!DOCTYPE html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>{{.Title}}: {{.Status}}</title>
<style>` + styleText + `</style>
</head>
<body>
<main>
<h1><bdi>{{.Title}}</bdi> <span class="status {{.Class}}">{{.Status}}</span></h1>
<table class="facts">
{{range .Facts}}<tr><th scope="row">{{.Name}}</th><td>{{.Value}}</td></tr>
{{end}}</table>
<section class="todo {{.Class}}">
<h2>What is left to do</h2>
<ul>
{{range .Todo}}<li>{{.Text}}{{range .Commands}}<pre><code>{{.}}</code></pre>{{end}}</li>
{{end}}</ul>
</section>
<section class="wide">
<h2>What happened</h2>
{{with .Drawing}}{{if .Lanes}}` + drawingText + `{{end}}{{end}}
{{if .Steps}}<table class="steps">
<caption>Steps, times in {{.Zone}}</caption>
<thead><tr><th scope="col">Step</th><th scope="col">Began</th><th scope="col">Took</th><th scope="col" class="n">Events</th><th scope="col" class="n">Warnings and problems</th></tr></thead>
<tbody>
{{range .Steps}}<tr><td class="{{whole .Step}}">{{.Step}}</td><td class="{{whole .Began}}">{{.Began}}</td><td class="{{whole .Took}}">{{.Took}}</td><td class="n">{{.Events}}</td><td class="n">{{.Problems}}</td></tr>
{{end}}</tbody>
</table>{{else}}<p>Nothing was written down.</p>{{end}}
</section>
{{if .WayRows}}<section class="wide">
<h2>Recovery of each VM</h2>
{{with .Ways}}` + waysText + `{{end}}
<table>
<caption>{{if .WayNote}}{{.WayNote}}{{else}}The same as text{{end}}</caption>
<thead><tr><th scope="col">VM</th><th scope="col" class="n">Took</th><th scope="col">States</th><th scope="col">Result</th></tr></thead>
<tbody>
{{range .WayRows}}<tr{{if .Class}} class="{{.Class}}"{{end}}><td class="{{whole .Name}}">{{.Name}}</td><td class="n">{{.Took}}</td><td>{{.Way}}</td><td class="result {{whole .Result}}">{{.Result}}</td></tr>
{{end}}</tbody>
</table>
</section>{{end}}
{{if .Stages}}<section class="wide">
<h2>Expected and actual times</h2>
<table class="steps">
<caption>{{if .Slowest}}Clean-up to boot are those of {{.Slowest}}, the slowest{{else}}No VM was seen on its way{{end}}</caption>
<thead><tr><th scope="col">Stage</th><th scope="col">Expected</th><th scope="col">Took</th></tr></thead>
<tbody>
{{range .Stages}}<tr><td class="{{whole .Stage}}">{{.Stage}}</td><td class="{{whole .Expected}}">{{.Expected}}</td><td>{{.Took}}</td></tr>
{{end}}</tbody>
</table>
</section>{{end}}
{{if .VMs}}<section class="wide">
<h2>VMs</h2>
<table>
<caption>{{.NotHandled}} of {{len .VMs}} not handled{{if .Starting}}, {{.Starting}} still starting{{end}}; these come first</caption>
<thead><tr><th scope="col" class="n">VM</th><th scope="col">Name</th><th scope="col">Owner</th><th scope="col">State before</th><th scope="col">Action</th><th scope="col">Result</th><th scope="col">Detail</th><th scope="col" class="n">Priority</th><th scope="col" class="n">Calls</th><th scope="col" class="n">Seconds</th></tr></thead>
<tbody>
{{range .VMs}}<tr{{if .Class}} class="{{.Class}}"{{end}}><td class="n">{{.ID}}</td><td class="{{whole .Name}}">{{.Name}}</td><td class="{{whole .Owner}}">{{.Owner}}</td><td class="{{whole .State}}">{{.State}}</td><td class="{{whole .Action}}">{{.Action}}</td><td class="result {{whole .Result}}">{{.Result}}</td><td>{{.Detail}}</td><td class="n">{{.Priority}}</td><td class="n">{{.Calls}}</td><td class="n">{{.Seconds}}</td></tr>
{{end}}</tbody>
</table>
</section>{{end}}
{{if .Events}}<section class="wide">
<h2>All events</h2>
<table>
<caption>{{len .Events}} events, times in {{.Zone}}</caption>
<thead><tr><th scope="col">Time</th><th scope="col" class="n">Since the begin</th><th scope="col">Step</th><th scope="col" class="n">VM</th><th scope="col">Level</th><th scope="col">Text</th></tr></thead>
<tbody>
{{range .Events}}<tr class="{{.Class}}"><td class="{{whole .Time}}">{{.Time}}</td><td class="n">{{.Since}}</td><td class="{{whole .Step}}">{{.Step}}</td><td class="n">{{.VM}}</td><td class="result {{whole .Level}}">{{.Level}}</td><td>{{.Text}}</td></tr>
{{end}}</tbody>
</table>
</section>{{end}}
<footer>Made {{.Made}}.</footer>
</main>
</body>
</html>
`

// axisText are the lines and labels of the times, which both drawings have.
const axisText = `{{$d := .}}{{range .Axis}}<line class="grid" x1="{{.X}}" y1="{{$d.PlotTop}}" x2="{{.X}}" y2="{{$d.PlotEnd}}"/>
<text class="axis" x="{{.X}}" y="{{$d.AxisY}}" text-anchor="middle">{{.Label}}</text>
{{end}}<line class="edge" x1="{{.Left}}" y1="{{.PlotEnd}}" x2="{{.Right}}" y2="{{.PlotEnd}}"/>
<text class="axis" x="{{.Left}}" y="{{.CaptionY}}">{{.Caption}}</text>
`

// drawingText is the timeline. Problems differ from warnings in shape, not only in colour.
const drawingText = `<svg role="img" aria-labelledby="drawing-title drawing-description" viewBox="0 0 {{.Width}} {{.Height}}" width="{{.Width}}" height="{{.Height}}">
<title id="drawing-title">{{.Title}}</title>
<desc id="drawing-description">{{.Description}}</desc>
` + axisText + `{{range .Lanes}}<g>
<line class="grid" x1="0" y1="{{.Line}}" x2="{{$d.Width}}" y2="{{.Line}}"/>
<text class="lane" x="4" y="{{.TextY}}">{{.Name}}</text>
<text class="side" x="{{.SideX}}" y="{{.TextY}}">{{.Side}}</text>
{{range .Bars}}<rect class="bar" x="{{.X}}" y="{{.Y}}" width="{{.Width}}" height="{{.Height}}" rx="2"/>
{{end}}{{range .VMs}}<line class="vm" x1="{{.X}}" y1="{{.Y1}}" x2="{{.X}}" y2="{{.Y2}}"/>
{{end}}{{range .Marks}}<polygon class="{{if .Problem}}problem{{else}}warning{{end}}" points="{{.Points}}"><title>{{.Tip}}</title></polygon>
{{end}}</g>
{{end}}<g transform="translate({{.Left}} {{.KeyY}})">
<rect class="bar" x="0" y="-6" width="28" height="12" rx="2"/><text class="axis" x="36" y="4">work on a step</text>
<line class="vm" x1="170" y1="-5" x2="170" y2="5"/><line class="vm" x1="175" y1="-5" x2="175" y2="5"/><text class="axis" x="184" y="4">events of VMs</text>
<polygon class="warning" points="312,-7 318,5 306,5"/><text class="axis" x="326" y="4">warning</text>
<polygon class="problem" points="420,-8 427,0 420,8 413,0"/><text class="axis" x="434" y="4">problem</text>
</g>
</svg>`

// waysText is the drawing of the ways. Bars that wait are higher than the others, and have their text in them
// where it has room.
const waysText = `<svg role="img" aria-labelledby="ways-title ways-description" viewBox="0 0 {{.Width}} {{.Height}}" width="{{.Width}}" height="{{.Height}}">
<title id="ways-title">{{.Title}}</title>
<desc id="ways-description">{{.Description}}</desc>
` + axisText + `{{range .Lanes}}<g>
<line class="grid" x1="0" y1="{{.Line}}" x2="{{$d.Width}}" y2="{{.Line}}"/>
<text class="lane" x="4" y="{{.TextY}}">{{.Name}}</text>
<text class="side" x="{{$d.SideX}}" y="{{.TextY}}">{{.Side}}</text>
{{$y := .TextY}}{{range .Bars}}<rect class="hop {{.Class}}" x="{{.X}}" y="{{.Y}}" width="{{.Width}}" height="{{.Height}}"><title>{{.Tip}}</title></rect>
{{if .Text}}<text class="in {{.Class}}" x="{{.TextX}}" y="{{$y}}" text-anchor="middle">{{.Text}}</text>
{{end}}{{end}}</g>
{{end}}<g>
{{range .Key}}<rect class="hop {{.Class}}" x="{{.X}}" y="{{.Y}}" width="{{.W}}" height="{{.Height}}"/><text class="axis" x="{{.TextX}}" y="{{.TextY}}">{{.Text}}</text>
{{end}}</g>
</svg>`
