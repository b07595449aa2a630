package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/stormwheel/stormwheel/internal/machine"
)

type doctorCmd struct {
	Conns int64 `default:"10000" placeholder:"N" help:"Connections that the machine shall hold. Default ${default}."`
}

func (doctorCmd) Help() string { return "Example: stormwheel doctor --conns 1000000" }

func (c *doctorCmd) Validate() error {
	if c.Conns < 1 || c.Conns > 1<<30 {
		return fmt.Errorf("--conns must be 1 to %d", 1<<30)
	}
	return nil
}

func (c *doctorCmd) Run() error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("doctor: it reads /proc, which %s does not have", runtime.GOOS)
	}
	limits := machine.Read()
	checks := limits.Checks(nodeNeed(c.Conns))
	if err := printChecks(os.Stdout, checks, ports(limits, c.Conns), c.Conns); err != nil {
		return err
	}
	if low := len(limits.Short(nodeNeed(c.Conns))); low > 0 {
		return fmt.Errorf("doctor: %d of %d limits are too low for %d connections", low, len(checks)+1, c.Conns)
	}
	return nil
}

const (
	// ownFiles are the descriptors of a node besides its connections: loops, listeners,
	// logs, the admin listener. It keeps 3 percent of the limit, at least 32, in reserve.
	ownFiles       = 300
	reservePercent = 3

	// backlog is what a listener needs to bridge a moment in which its loop does not
	// accept, at some thousand arrivals a second.
	backlog = 4096
)

// nodeNeed is what conns connections of one node take.
func nodeNeed(conns int64) machine.Need {
	return machine.Need{
		Conns:       conns,
		Ends:        conns,
		Descriptors: max(conns+ownFiles+32, (conns+ownFiles)*100/(100-reservePercent)+1),
		Backlog:     min(conns, backlog),
		Orphans:     conns, // a node that dies leaves its sockets until the peers have answered the FIN
		TimeWaits:   conns,
		Pages:       conns, // at the worst moment every connection has one small packet waiting
	}
}

const portsCheck = "local ports of a client host"

// ports says how many source addresses a load generator needs: a range serves each pair
// of source and target once. A server needs none, so nothing is too low.
func ports(l machine.Limits, conns int64) []string {
	if l.PortLow == machine.Unknown || l.PortHigh < l.PortLow {
		return []string{portsCheck, "unknown", "-", "-", ""}
	}
	n := l.PortHigh - l.PortLow + 1
	needed := "-"
	if sources := (conns + n - 1) / n; sources > 1 {
		needed = fmt.Sprintf("%d source addresses", sources)
	}
	return []string{portsCheck, fmt.Sprintf("%d (%d-%d)", n, l.PortLow, l.PortHigh), needed, "ok", ""}
}

// row is a check as the table shows it.
func row(c machine.Check) []string {
	have, need, verdict, fix := fmt.Sprint(c.Have), fmt.Sprint(c.Need), "ok", ""
	if c.Moot != "" {
		need = "- (" + c.Moot + ")"
	}
	switch {
	case c.Have == machine.Unknown: // which no setting could mend
		have, verdict = "unknown", "-"
	case c.Low():
		verdict, fix = "LOW", cmp.Or(c.Fix, "fewer connections, or more memory")
	}
	return []string{c.Name, have, need, verdict, fix}
}

func printChecks(w io.Writer, checks []machine.Check, ports []string, conns int64) error {
	rows := [][]string{{"CHECK", "VALUE", fmt.Sprintf("NEEDED FOR %d", conns), "VERDICT", "FIX (AS ROOT)"}}
	for _, c := range checks {
		rows = append(rows, row(c))
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range append(rows, ports) {
		fmt.Fprintln(tw, strings.Join(r, "\t"))
	}
	return tw.Flush() // the first error of any of them
}
