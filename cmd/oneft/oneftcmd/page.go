package oneftcmd

// page is an answer of rows and lines.
type page struct {
	Rows    [][]string `json:"rows,omitempty"`
	Text    []string   `json:"text,omitempty"`
	Summary string     `json:"summary,omitempty"`
	Wrong   []string   `json:"problems,omitempty"`
	Code    int        `json:"exit_code"`
}

// Table, Notes, Line, Problems and ExitCode make it an app.Answer.
func (p page) Table() [][]string  { return p.Rows }
func (p page) Notes() []string    { return p.Text }
func (p page) Line() string       { return p.Summary }
func (p page) Problems() []string { return p.Wrong }
func (p page) ExitCode() int      { return p.Code }
