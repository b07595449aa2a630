// Package kit is what the sections of BENCHMARKS.md share: steps that are taken in turn,
// figures that are kept after each, statistics, tables and targets, and the processes that
// are measured. It knows no section.
package kit

import (
	"context"
	"slices"
)

// Section is one section of BENCHMARKS.md. Its functions are called by one goroutine.
type Section struct {
	Name  string   // of its markers on the page, and of its file in out/
	Title string   // on the page
	Code  []string // what it measures: paths from the root, of which it names the last commit

	// Steps are the measurements to make, in order. What cannot be made here it notes in
	// the Kept, whose Effort it obeys.
	Steps func(*Kept) []Step
	// Measure makes one of them and fills the record's figures. An error is written into the
	// record, and the others go on. nil: Alone makes them all.
	Measure func(context.Context, *Kept, *Record) error
	// Alone measures in a process of its own what Kept.Alone asks for; nil: it never does.
	Alone func(Task) (map[string]float64, error)
	// Write makes the text and the pictures out of what was kept, below the title and the line
	// that says how, where and when.
	Write func(*Page, *Kept) error
}

// Effort is how much of each section is run; the tags are those of its flags.
type Effort struct {
	Name      string   `json:"name" name:"effort" default:"full" enum:"tiny,short,full" help:"How much: seconds to try it out, some minutes, or all (${enum})."`
	Rounds    int      `json:"rounds,omitempty" help:"Rounds of each measurement, instead of the section's own."`
	Size      int      `json:"size,omitempty" help:"Connections of large and wheel, instead of their own."`
	Subjects  []string `json:"subjects,omitempty" help:"Only these, as stormwheel,gnet."`
	Workloads []string `json:"workloads,omitempty" help:"Only these, as idle,beat."`
}

// Wants tells whether a subject is to be measured.
func (e Effort) Wants(subject string) bool {
	return len(e.Subjects) == 0 || slices.Contains(e.Subjects, subject)
}

// Step is one measurement to make: a subject under a workload.
type Step struct {
	Workload string `json:"workload"`
	Subject  string `json:"subject"`
	Round    int    `json:"round"`
	Size     int    `json:"size,omitempty"` // clients, or connections
	// Rate is what else the workload varies: heartbeats a second, multiples of a capacity.
	Rate float64 `json:"rate,omitempty"`
}

// Of is the step for another subject.
func (s Step) Of(subject string) Step {
	s.Subject = subject
	return s
}

// Turns are rounds of s, in which the subjects take turns, A B C and then C B A, so that a
// drift of the machine falls on all of them. takes leaves subjects out of a round; nil: none.
func Turns(rounds int, s Step, subjects []string, takes func(subject string, round int) bool) []Step {
	var all []Step
	for round := range rounds {
		turn := slices.Clone(subjects)
		if round%2 == 1 {
			slices.Reverse(turn)
		}
		for _, subject := range turn {
			if takes == nil || takes(subject, round) {
				s.Subject, s.Round = subject, round
				all = append(all, s)
			}
		}
	}
	return all
}
