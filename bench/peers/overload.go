package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

// A server that is offered more clients than it can take: how many get in?
//
// What it can take is measured first: a few clients, fewer than any queue holds, come at
// once. Then clients come for offeredTime at multiples of that, over and over again until
// they are in, as clients do.
const (
	fewClients  = 600
	mostClients = 14_000 // a process has 20,000 descriptors
	offeredTime = 5 * time.Second
	giveUp      = 30 * time.Second // after the last has come
	manyIn      = 0.1              // of the clients are in before
)

var (
	overloadKinds = []string{"stormwheel", "gnet", "go-net", "nbio"}
	overloadDuty  = []string{"1ms/9ms", "1ms/99ms"}
	overloadTimes = []float64{0.1, 0.5, 1, 2, 5, 10}
)

// offer is one flood, and what came of it.
type offer struct {
	Kind     string   `json:"kind"`
	Duty     string   `json:"duty"`
	Times    float64  `json:"times"`    // of what it can take; 0: this is that measurement
	Clients  int      `json:"clients"`  // that came
	Rate     float64  `json:"rate"`     // of them a second
	Back     int      `json:"back"`     // that were in at the end
	Over     float64  `json:"over_s"`   // until all were in, or the wait was over
	Gap      *float64 `json:"gap_s"`    // the longest time in which nobody got in
	Attempts *float64 `json:"attempts"` // for each that got in
	Lost     int      `json:"lost"`     // of those that were in before
}

// goodput is how many got in a second.
func (o *offer) goodput() float64 { return float64(o.Back) / o.Over }

// offers are a whole run, as it is kept.
type offers struct {
	Schema string  `json:"schema"`
	Where  string  `json:"where"`
	Offers []offer `json:"offers"`
}

const offersSchema = "stormwheel.offers/v1"

// measureOverload is `peers overload`.
func measureOverload(args []string) error {
	fs := flag.NewFlagSet("overload", flag.ContinueOnError)
	keep := fs.String("json", "../../out/offered.json", "where to keep the raw figures")
	md := fs.String("md", "../../BENCHMARKS.md", "the file whose section is written")
	svg := fs.String("svg", "../../docs/img", "the folder for the picture")
	some := fs.String("kinds", strings.Join(overloadKinds, ","), "servers, comma-separated")
	again := fs.Bool("from-files", false, "write the section from the figures that are kept")
	if err := fs.Parse(args); err != nil {
		return err
	}
	kinds := strings.Split(*some, ",")
	for _, kind := range kinds {
		if !slices.Contains(overloadKinds, kind) {
			return fmt.Errorf("no server %q; there are %s", kind, strings.Join(overloadKinds, ", "))
		}
	}
	if *again {
		all, err := readOffers(*keep)
		if err != nil {
			return err
		}
		return all.report(*md, *svg)
	}
	began := time.Now()
	all, err := offerAll(kinds)
	if err != nil {
		return err
	}
	all.Where = benchdoc.Where(began, "../../bench", "../../client", "../../server", "../../codec", "../../internal", "../../timingwheel", ".")
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(*keep), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(*keep, append(text, '\n'), 0o644); err != nil {
		return err
	}
	return all.report(*md, *svg)
}

func readOffers(file string) (*offers, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	all := new(offers)
	if err := json.Unmarshal(text, all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if all.Schema != offersSchema {
		return nil, fmt.Errorf("%s: schema is %q, want %q", file, all.Schema, offersSchema)
	}
	return all, nil
}

// offerAll makes the offers to all kinds in turn, so that what the machine does meanwhile hits
// all of them.
func offerAll(kinds []string) (*offers, error) {
	began := time.Now()
	all := &offers{Schema: offersSchema}
	can := map[string]float64{}
	for _, duty := range overloadDuty {
		for _, times := range append([]float64{0}, overloadTimes...) {
			for _, kind := range kinds {
				o := offer{Kind: kind, Duty: duty, Times: times, Clients: fewClients, Rate: 1e5}
				if times > 0 {
					o.Rate = times * can[kind+duty]
					o.Clients = min(max(int(o.Rate*offeredTime.Seconds()), fewClients/2), mostClients)
				}
				if err := o.make(); err != nil {
					return nil, fmt.Errorf("%s at %s, %g times: %w", kind, duty, times, err)
				}
				if times == 0 {
					can[kind+duty] = o.goodput()
				}
				all.Offers = append(all.Offers, o)
				fmt.Fprintf(os.Stderr, "%4.0fs  %-10s %-8s %4g x  %5d clients at %6.0f/s: %5d in after %.1f s, %.0f/s\n",
					time.Since(began).Seconds(), kind, duty, times, o.Clients, o.Rate, o.Back, o.Over, o.goodput())
			}
		}
	}
	return all, nil
}

// make runs the flood. It ends when all are in: a heartbeat more would tell nothing.
func (o *offer) make() error {
	program, err := self()
	if err != nil {
		return err
	}
	cfg := bench.Config{Scenario: "storm", Kind: "flood", Spawn: 1, Fraction: manyIn, Slow: o.Duty,
		NodeCommand: []string{program, "serve", o.Kind},
		Conns:       int(float64(o.Clients)/(1-manyIn) + 0.5), Rate: o.Rate, Duration: time.Second, RecoveryTimeout: giveUp,
		Heartbeat: 30 * time.Second, Timeout: 75 * time.Second, Seed: 1}
	if o.Kind == "stormwheel" {
		cfg.NodeArgs = []string{"admit-rate=" + admitted}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	res, err := bench.Run(ctx, cfg, bench.View{Watch: func(u bench.Update) {
		if s := u.Status; s != nil && s.Recovery != nil && s.Recovery.T100 != nil {
			cancel()
		}
	}})
	if res == nil || res.Storm == nil {
		return errors.Join(errors.New("no result"), err)
	}
	s := res.Storm
	o.Clients, o.Back, o.Gap, o.Attempts = s.Clients, s.Back, s.LongestGapS, s.AttemptsPerSuccess
	o.Over = float64(o.Clients)/o.Rate + giveUp.Seconds()
	if s.T100S != nil {
		o.Over = *s.T100S
	}
	if res.Probes != nil {
		o.Lost = res.Probes.Lost
	}
	return nil
}

// report writes the section and its picture.
func (all *offers) report(md, svg string) error {
	if err := os.MkdirAll(svg, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(svg, "goodput.svg"), []byte(all.picture().SVG()), 0o644); err != nil {
		return err
	}
	return benchdoc.Replace(md, "goodput", all.section())
}

func (all *offers) picture() benchdoc.Lines {
	slowest := overloadDuty[len(overloadDuty)-1]
	p := benchdoc.Lines{Title: "Goodput of an overloaded node", XUnit: "clients a second that come", YUnit: "clients a second that get in",
		Sub: "each node runs for " + strings.Replace(slowest, "/", " and stands still for ", 1) + ", in turn"}
	for _, kind := range overloadKinds {
		line := benchdoc.Line{Label: plainLabel(kind)}
		for _, o := range all.Offers {
			if o.Kind == kind && o.Duty == slowest && o.Times > 0 && o.Back > 0 {
				line.Points = append(line.Points, benchdoc.Point{X: o.Rate, Y: o.goodput()})
			}
		}
		p.Lines = append(p.Lines, line)
	}
	return p
}

func (all *offers) section() string {
	var b strings.Builder
	fmt.Fprintf(&b, `## Goodput against offered load

`+"`make bench-goodput`"+`. %s

Servers that run for a part of the time only (SIGSTOP, SIGCONT) are offered multiples of what each
can take, which is measured with %d clients that come at once. A tenth of the clients are in before.
The others come at an even rate for %v (at most %d of them), and again until they are in, or until
%v after the last has come. All are the clients of package client, whose patience grows; the peers
tell neither slots nor a reconnect window. Goodput is those who got in, by the time that it took. One
run each; nodes and clients share this machine.

`, all.Where, fewClients, offeredTime, mostClients, giveUp)
	b.WriteString("| runs / stands still | server | offered, a second | clients | in | after, s | goodput, a second | of what it can | longest time with nobody, s | attempts each | lost of those in before |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, duty := range overloadDuty {
		for _, kind := range overloadKinds {
			can := 0.0
			for _, o := range all.Offers {
				if o.Kind != kind || o.Duty != duty {
					continue
				}
				rate := fmt.Sprintf("%.0f (%g x)", o.Rate, o.Times)
				if o.Times == 0 {
					rate, can = "at once", o.goodput()
				}
				fmt.Fprintf(&b, "| %s | %s | %s | %d | %d | %.1f | %.0f | %.2f | %s | %s | %d |\n", duty, plainLabel(kind), rate, o.Clients, o.Back, o.Over,
					o.goodput(), o.goodput()/can, maybe(o.Gap), maybe(o.Attempts), o.Lost)
			}
		}
	}
	b.WriteString("\n![goodput against offered load](docs/img/goodput.svg)\n")
	return b.String()
}

func maybe(v *float64) string {
	if v == nil {
		return "none"
	}
	return strconv.FormatFloat(*v, 'f', 1, 64)
}
