// Package peers has the servers that are measured beside each other: they answer the same
// frames, each in a process of its own (serve KIND), under the same clients.
package peers

import (
	"slices"
	"strings"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// Kind is a server that is measured.
type Kind struct {
	Name  string // of `serve`
	Label string // in tables
	// Evicts says that it does so by its own usual means, told in How. The floor does not.
	Evicts bool
	How    string
	// start listens, and tells where.
	start func(*Serve) (addr string, err error)
	// missing says why it can't run here; nil: it always can.
	missing func() string
}

// Ours and Floor are what everything is compared with.
const (
	Ours  = "stormwheel"
	Floor = "gnet"
)

// Kinds are in the order of the tables: ours, the floor, then the others.
var Kinds = []Kind{
	{Name: Ours, Label: "Stormwheel", Evicts: true, start: serveStormwheel,
		How: "one timing wheel a loop; its own session, limits and counters"},
	{Name: Floor, Label: "bare gnet v2.10.0", start: serveGnet,
		How: "the floor: no deadline, no session, no limit"},
	{Name: "gnet-timer", Label: "gnet + timers", Evicts: true, start: serveGnetTimer,
		How: "gnet v2.10.0, one `time.Timer` a connection, Reset by what it sends"},
	{Name: "go-net", Label: "Go net", Evicts: true, start: serveGoNet,
		How: "a goroutine a connection with a buffer of 256 bytes, `SetReadDeadline` before each Read"},
	{Name: "nbio", Label: "nbio v1.6.8", Evicts: true, start: serveNbio,
		How: "`SetReadDeadline` in OnData, which resets the connection's `time.Timer`; 2 pollers"},
	{Name: "gev", Label: "gev v0.5.0", Evicts: true, start: serveGev,
		How: "`IdleTime`, which arms RussellLuo's timing wheel and counts in whole seconds; 2 loops"},
	{Name: "netpoll", Label: "netpoll v0.7.0", Evicts: true, start: serveNetpoll,
		How: "one `time.Timer` a connection, since its idle timeout is TCP keep-alive; buffers of 1 KiB instead of 4 and 8, one poller, a goroutine a request without a pool, as its guide advises"},
	{Name: netty, Label: "Netty", Evicts: true, start: serveNetty, missing: nettyMissing,
		How: "`IdleStateHandler`; NIO, 2 event loops, JVM flags " + nettyFlagsText},
}

// others are measured with, and stand in no table.
var others = []Kind{{Name: Accept, start: serveAccept}, {Name: Besieged, start: serveBesieged},
	{Name: Blind, Label: "Stormwheel, blind", start: serveBlind},
	{Name: Mosquitto, Label: "Mosquitto", start: serveMosquitto, missing: mosquittoMissing}, {Name: mosquittoReady, start: awaitMosquitto}}

// Of is the kind with a name.
func Of(name string) (Kind, bool) {
	all := slices.Concat(Kinds, others, WebSockets, TLSes)
	i := slices.IndexFunc(all, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, false
	}
	return all[i], true
}

// Label is what a kind is called in tables.
func Label(name string) string {
	k, _ := Of(name)
	return k.Label
}

// Present are the names of the kinds of the tables that can run here, of those that are
// wanted. It notes which are absent.
func Present(kept *kit.Kept) (names []string) {
	for _, k := range Kinds {
		switch why := k.absent(); {
		case !kept.Effort.Wants(k.Name):
		case why != "":
			kept.Note("absent", "%s: %s", k.Label, why)
		default:
			names = append(names, k.Name)
			if k.Name == netty {
				version, _ := nettyVersion() // it is not absent, so it has one
				kept.Note(netty, "%s", version)
			}
		}
	}
	return names
}

// Title is the label with the version, where that depends on the machine.
func (k Kind) Title(kept *kit.Kept) string {
	return strings.Join(append([]string{k.Label}, kept.Notes[k.Name]...), " ")
}

// Absent says why the kind of a name can't run here, or nothing.
func Absent(name string) string {
	k, _ := Of(name)
	return k.absent()
}

// absent says why the kind can't run here, or nothing.
func (k Kind) absent() string {
	if k.missing == nil {
		return ""
	}
	return k.missing()
}

func names() string {
	var all []string
	for _, k := range Kinds {
		all = append(all, k.Name)
	}
	return strings.Join(all, ", ")
}
