package kit

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Place is where the laboratory reads and writes; the tags are those of its flags.
type Place struct {
	Out    string `default:"out" help:"Folder of the kept figures."`
	Page   string `default:"BENCHMARKS.md" help:"File with the sections."`
	Images string `default:"docs/img" help:"Folder of the pictures."`
	Binary string `default:"bin/stormwheel" help:"The command that some sections run."`
	Commit string `help:"The commit to name, where git cannot tell."`
}

func (p Place) out(name string) string { return filepath.Join(p.Out, name) }

// New is a run of a section that has measured nothing yet.
func New(p Place, s Section, e Effort, command string) *Kept {
	return &Kept{Schema: schema, Section: s.Name, Command: command, Effort: e, place: p}
}

// Run takes the steps of a section one after the other. What was measured is kept, whatever
// comes after it; progress has a line for each. The error is that nothing could be measured,
// or not be kept.
func Run(ctx context.Context, p Place, s Section, e Effort, command string, progress io.Writer) (*Kept, error) {
	k := New(p, s, e, command)
	var workloads []string
	steps := slices.DeleteFunc(s.Steps(k), func(one Step) bool {
		if !slices.Contains(workloads, one.Workload) {
			workloads = append(workloads, one.Workload)
		}
		return !e.Wants(one.Subject) || len(e.Workloads) > 0 && !slices.Contains(e.Workloads, one.Workload)
	})
	why := slices.Concat(k.Notes["absent"], k.Notes["skipped"])
	for _, name := range e.Workloads {
		if !slices.Contains(workloads, name) {
			why = append([]string{fmt.Sprintf("there is no %q, but %s", name, strings.Join(workloads, ", "))}, why...)
		}
	}
	if len(steps) == 0 {
		return nil, fmt.Errorf("%s: nothing to measure: %s", s.Name, strings.Join(why, "; "))
	}
	began := time.Now()
	failed := 0
	for i, one := range steps {
		r := &Record{Step: one, Figures: map[string]float64{}}
		if err := s.measure(ctx, k, r); ctx.Err() != nil {
			return nil, ctx.Err()
		} else if err != nil {
			r.Problem, r.Figures = err.Error(), nil
			failed++
		}
		k.Records = append(k.Records, r)
		k.Where = where(began, p.Commit, s.Code)
		fmt.Fprintf(progress, "%4.0fs  %s %d/%d  %s\n", time.Since(began).Seconds(), s.Name, i+1, len(steps), r.line())
		if err := k.save(); err != nil {
			return nil, err
		}
	}
	if failed > 0 {
		fmt.Fprintf(progress, "%d of %d measurements failed; the section says why\n", failed, len(steps))
	}
	if failed == len(steps) {
		return nil, fmt.Errorf("%s: no measurement succeeded: %s", s.Name, k.Records[0].Problem)
	}
	return k, nil
}

func (s Section) measure(ctx context.Context, k *Kept, r *Record) (err error) {
	if s.Measure != nil {
		return s.Measure(ctx, k, r)
	}
	r.Figures, err = k.Alone(ctx, r.Step, "")
	return err
}

// Write writes the section and its pictures.
func Write(s Section, k *Kept) error {
	p, err := PageOf(s, k)
	if err != nil {
		return err
	}
	for name, svg := range p.pictures {
		if err := writeFile(filepath.Join(k.place.Images, name), []byte(svg)); err != nil {
			return err
		}
	}
	return replace(k.place.Page, s.Name, p.String())
}

// PageOf is the section as it is written.
func PageOf(s Section, k *Kept) (*Page, error) {
	p := &Page{pictures: map[string]string{}}
	p.Printf("## %s\n\n`%s`. %s\n\n", s.Title, k.Command, k.Where)
	if err := s.Write(p, k); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return p, nil
}
