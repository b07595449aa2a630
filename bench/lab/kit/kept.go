package kit

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Record is one measurement that was made.
type Record struct {
	Step
	// Figures are what it gave, by name. One that it could not give is absent.
	Figures map[string]float64 `json:"figures,omitempty"`
	Said    string             `json:"said,omitempty"`    // beside its figures, for the page
	Problem string             `json:"problem,omitempty"` // why there are no figures
}

// Kept is a run of a section, as it stands in out/NAME.json after each step.
type Kept struct {
	Schema  string              `json:"schema"`
	Section string              `json:"section"`
	Command string              `json:"command"`
	Where   string              `json:"where"`
	Effort  Effort              `json:"effort"`
	Notes   map[string][]string `json:"notes,omitempty"` // what could not run, and why
	Records []*Record           `json:"records"`

	place Place
}

const schema = "stormwheel.lab/v1"

// Note keeps a line for the page.
func (k *Kept) Note(about, format string, args ...any) {
	if k.Notes == nil {
		k.Notes = map[string][]string{}
	}
	k.Notes[about] = append(k.Notes[about], fmt.Sprintf(format, args...))
}

// Add keeps a measurement.
func (k *Kept) Add(s Step, figures map[string]float64) {
	k.Records = append(k.Records, &Record{Step: s, Figures: figures})
}

// matching are the records of s, whatever their rounds.
func (k *Kept) matching(s Step) []*Record {
	var all []*Record
	for _, r := range k.Records {
		if at := r.Step; at.Workload == s.Workload && at.Subject == s.Subject && at.Size == s.Size && at.Rate == s.Rate {
			all = append(all, r)
		}
	}
	return all
}

// rounds are the figures of s by round; rounds that failed are absent.
func (k *Kept) rounds(s Step) map[int]map[string]float64 {
	all := map[int]map[string]float64{}
	for _, r := range k.matching(s) {
		if r.Problem == "" {
			all[r.Round] = r.Figures
		}
	}
	return all
}

// Rounds is how often s was measured.
func (k *Kept) Rounds(s Step) int { return len(k.rounds(s)) }

// Sample is a figure of s over its rounds.
func (k *Kept) Sample(s Step, name string) Sample {
	var values []float64
	for _, f := range k.rounds(s) {
		if v, ok := f[name]; ok {
			values = append(values, v)
		}
	}
	return SampleOf(values)
}

// Paired combines a figure of two steps, round by round: what disturbs the machine in one
// round disturbs both. A round in which the second is 0 is left out.
func (k *Kept) Paired(a, b Step, name string, combine func(x, y float64) float64) Sample {
	var values []float64
	others := k.rounds(b)
	for round, f := range k.rounds(a) {
		x, okX := f[name]
		y, okY := others[round][name]
		if okX && okY && y != 0 {
			values = append(values, combine(x, y))
		}
	}
	return SampleOf(values)
}

// Ratio combines two figures.
func Ratio(x, y float64) float64 { return x / y }

// Problem is why s has no figures, in one line.
func (k *Kept) Problem(s Step) string {
	for _, r := range k.matching(s) {
		if r.Problem != "" {
			return strings.ReplaceAll(r.Problem, "\n", " ")
		}
	}
	return "no figures"
}

// Tried tells whether s was measured, or could not be.
func (k *Kept) Tried(s Step) bool { return len(k.matching(s)) > 0 }

// line is the record for the eye.
func (r *Record) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-8s %-12s", r.Workload, r.Subject)
	if r.Size > 0 {
		fmt.Fprintf(&b, " %6d", r.Size)
	}
	if r.Rate > 0 {
		fmt.Fprintf(&b, " at %g", r.Rate)
	}
	if r.Problem != "" {
		return b.String() + "  FAILED: " + r.Problem
	}
	for _, name := range slices.Sorted(maps.Keys(r.Figures)) {
		fmt.Fprintf(&b, "  %s %.4g", name, r.Figures[name])
	}
	if r.Said != "" {
		b.WriteString("  " + r.Said)
	}
	return b.String()
}

func (k *Kept) save() error {
	text, err := json.MarshalIndent(k, "", " ")
	if err != nil {
		return err
	}
	return writeFile(k.place.out(k.Section+".json"), append(text, '\n'))
}

// Load reads what a run of the section has kept.
func Load(p Place, section string) (*Kept, error) {
	path := p.out(section + ".json")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	k := &Kept{place: p}
	if err := json.Unmarshal(text, k); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if k.Schema != schema || k.Section != section {
		return nil, fmt.Errorf("%s: schema %q of section %q, want %q of %q", path, k.Schema, k.Section, schema, section)
	}
	return k, nil
}

func writeFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// Set keeps a figure that may be absent.
func (r *Record) Set(name string, v *float64) {
	if v != nil {
		r.Figures[name] = *v
	}
}
