package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"
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
	m, err := readMachine()
	if err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	checks := diagnose(m, c.Conns)
	if err := printChecks(os.Stdout, checks, c.Conns); err != nil {
		return err
	}
	low := 0
	for _, ch := range checks {
		if ch.verdict == tooLow {
			low++
		}
	}
	if low > 0 {
		return fmt.Errorf("doctor: %d of %d limits are too low for %d connections", low, len(checks), c.Conns)
	}
	return nil
}

// machine is what doctor reads. A number that this kernel does not tell is unknown.
type machine struct {
	openFiles    int64 // descriptors one process may have
	nrOpen       int64 // the most that openFiles can be set to
	fileMax      int64 // open files of the whole machine
	fileUsed     int64
	somaxconn    int64 // connections waiting for accept, per listener
	synBacklog   int64 // matters only without SYN cookies
	synCookies   int64
	maxOrphans   int64 // sockets that no process owns any more
	maxTimeWait  int64
	tcpMemPages  int64 // all TCP buffers of the machine
	conntrackMax int64
	conntrackNow int64
	portLow      int64
	portHigh     int64
	memory       int64 // bytes available
}

const unknown = -1

type verdict string

const (
	okay      verdict = "ok"
	tooLow    verdict = "LOW"
	noVerdict verdict = "-" // unknown here, or nothing that a setting could mend
)

// check is one line of the table.
type check struct {
	name    string
	value   string
	needed  string
	verdict verdict
	fix     string // a command, or what else helps
}

const (
	// ownFiles are the descriptors of a node besides its connections: loops, listeners,
	// logs, the admin listener. It keeps 3 percent of the limit, at least 32, in reserve.
	ownFiles       = 300
	reservePercent = 3

	// backlog is what a listener needs to bridge a moment in which its loop does not
	// accept, at some thousand arrivals a second.
	backlog = 4096

	// bytesPerConn is one end of an idle connection: somewhat above 5 KiB in the kernel, the
	// rest in the server.
	bytesPerConn = 7 << 10
)

// diagnose compares a machine with what conns connections of one node need.
func diagnose(m machine, conns int64) []check {
	files := max(conns+ownFiles+32, (conns+ownFiles)*100/(100-reservePercent)+1)
	at := func(name string, value, needed int64, fix string) check {
		c := check{name: name, value: count(value), needed: count(needed), verdict: okay}
		switch {
		case value == unknown:
			c.verdict = noVerdict
		case value < needed:
			c.verdict, c.fix = tooLow, fix
		}
		return c
	}
	sysctl := func(name string, value, needed int64) check {
		return at(name, value, needed, fmt.Sprintf("sysctl -w %s=%d", name, needed))
	}
	free := func(limit, used int64) int64 {
		if limit == unknown || used == unknown {
			return unknown
		}
		return limit - used
	}

	checks := []check{
		at("open files of a process", m.openFiles, files, fmt.Sprintf("ulimit -n %d", files)),
		sysctl("fs.nr_open", m.nrOpen, files),
		at("fs.file-max, unused", free(m.fileMax, m.fileUsed), files, fmt.Sprintf("sysctl -w fs.file-max=%d", m.fileUsed+files)),
		sysctl("net.core.somaxconn", m.somaxconn, min(conns, backlog)),
	}
	syn := sysctl("net.ipv4.tcp_max_syn_backlog", m.synBacklog, min(conns, backlog))
	if m.synCookies > 0 { // the kernel then answers with cookies instead of dropping
		syn.needed, syn.verdict, syn.fix = "- (SYN cookies)", okay, ""
	}
	checks = append(checks, syn,
		// A process that dies leaves its sockets until the peers have answered the FIN.
		sysctl("net.ipv4.tcp_max_orphans", m.maxOrphans, conns),
		sysctl("net.ipv4.tcp_max_tw_buckets", m.maxTimeWait, conns),
		// One page each: at the worst moment every connection has one small packet waiting.
		at("net.ipv4.tcp_mem, pages", m.tcpMemPages, conns,
			fmt.Sprintf("sysctl -w net.ipv4.tcp_mem='%d %d %d'", conns/2, conns*3/4, conns)))
	if m.conntrackMax != unknown { // else nothing tracks connections
		checks = append(checks, at("nf_conntrack_max, unused", free(m.conntrackMax, m.conntrackNow), conns,
			fmt.Sprintf("sysctl -w net.netfilter.nf_conntrack_max=%d", m.conntrackNow+conns)))
	}
	return append(checks, ports(m, conns),
		at("memory, KiB", kib(m.memory), kib(conns*bytesPerConn), "fewer connections, or more memory"))
}

// ports says how many source addresses a load generator needs: a range serves each pair
// of source and target once. A server needs none.
func ports(m machine, conns int64) check {
	c := check{name: "local ports of a client host", value: count(unknown), needed: "-", verdict: noVerdict}
	if m.portLow == unknown || m.portHigh < m.portLow {
		return c
	}
	n := m.portHigh - m.portLow + 1
	c.value, c.verdict = fmt.Sprintf("%d (%d-%d)", n, m.portLow, m.portHigh), okay
	if sources := (conns + n - 1) / n; sources > 1 {
		c.needed = fmt.Sprintf("%d source addresses", sources)
	}
	return c
}

func kib(bytes int64) int64 {
	if bytes == unknown {
		return unknown
	}
	return (bytes + 1023) / 1024
}

func count(n int64) string {
	if n == unknown {
		return "unknown"
	}
	return fmt.Sprint(n)
}

func printChecks(w io.Writer, checks []check, conns int64) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "CHECK\tVALUE\tNEEDED FOR %d\tVERDICT\tFIX (AS ROOT)\n", conns)
	for _, c := range checks {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", c.name, c.value, c.needed, c.verdict, c.fix)
	}
	return tw.Flush() // the first error of any of them
}
