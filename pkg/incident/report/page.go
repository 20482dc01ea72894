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
{{range .Parts}}<section class="wide">
{{with .Table}}<h2>{{.Title}}</h2>{{end}}
{{with .Drawing}}` + chartText + `{{end}}
{{with .Table}}<table{{with .Class}} class="{{.}}"{{end}}>
<caption>{{.Caption}}</caption>
{{$columns := .Columns}}<thead><tr>{{range .Columns}}<th scope="col"{{with .HeadClass}} class="{{.}}"{{end}}>{{.Name}}</th>{{end}}</tr></thead>
<tbody>
{{range .Rows}}<tr{{with .Class}} class="{{.}}"{{end}}>{{range $i, $cell := .Cells}}{{with index $columns $i}}<td{{with .CellClass $cell}} class="{{.}}"{{end}}>{{$cell}}</td>{{end}}{{end}}</tr>
{{end}}</tbody>
</table>{{end}}
</section>
{{else}}<p>Nothing was recorded.</p>
{{end}}<footer>Made {{.Made}}.</footer>
</main>
</body>
</html>
`

// chartText is a drawing.
const chartText = `<svg role="img" aria-labelledby="{{.ID}}-title {{.ID}}-description" viewBox="0 0 {{.Width}} {{.Height}}" width="{{.Width}}" height="{{.Height}}">
<title id="{{.ID}}-title">{{.Title}}</title>
<desc id="{{.ID}}-description">{{.Description}}</desc>
{{$d := .}}{{range .Axis}}<line class="grid" x1="{{.X}}" y1="{{$d.Top}}" x2="{{.X}}" y2="{{$d.Bottom}}"/>
<text class="axis" x="{{.X}}" y="{{$d.AxisY}}" text-anchor="middle">{{.Label}}</text>
{{end}}<line class="edge" x1="{{.Left}}" y1="{{.Bottom}}" x2="{{.Right}}" y2="{{.Bottom}}"/>
<text class="axis" x="{{.Left}}" y="{{.CaptionY}}">{{.Caption}}</text>
{{range .Lanes}}<g>
<line class="grid" x1="0" y1="{{.Bottom}}" x2="{{$d.Width}}" y2="{{.Bottom}}"/>
<text class="lane" x="4" y="{{.TextY}}">{{.Name}}</text>
<text class="side" x="{{$d.Side}}" y="{{.TextY}}">{{.Side}}</text>
{{range .Marks}}` + markText + `{{if .Text}}<text class="in {{.TextClass}}" x="{{.TextX}}" y="{{.TextY}}" text-anchor="middle">{{.Text}}</text>
{{end}}{{end}}</g>
{{end}}<g class="key">
{{range .Key}}` + markText + `<text class="axis" x="{{.TextX}}" y="{{.TextY}}">{{.Text}}</text>
{{end}}</g>
</svg>`

// markText is one mark of it.
const markText = `{{if .Points}}<polygon class="{{.Class}}" points="{{.Points}}">{{with .Tip}}<title>{{.}}</title>{{end}}</polygon>
{{else}}<rect class="{{.Class}}" x="{{.X}}" y="{{.Y}}" width="{{.Width}}" height="{{.Height}}">{{with .Tip}}<title>{{.}}</title>{{end}}</rect>
{{end}}`
