package machine

import "fmt"

// Limits are what the kernel lets this process and the whole machine have. A number that the
// system does not tell is Unknown.
type Limits struct {
	Descriptors  int64 // of this process: the soft limit, which the Go runtime has raised to the hard one
	NrOpen       int64 // fs.nr_open: what Descriptors can be raised to
	FileMax      int64 // fs.file-max: open files of all processes together
	FilesOpen    int64
	Watches      int64 // fs.epoll.max_user_watches
	Somaxconn    int64 // net.core.somaxconn: connections that wait for accept, of one listener
	SynBacklog   int64 // net.ipv4.tcp_max_syn_backlog; without effect with SynCookies
	SynCookies   int64 // net.ipv4.tcp_syncookies: 0 is off
	Orphans      int64 // net.ipv4.tcp_max_orphans: sockets whose process is gone
	TimeWaits    int64 // net.ipv4.tcp_max_tw_buckets
	TCPPages     int64 // net.ipv4.tcp_mem, its last number: the buffers of all sockets
	Conntrack    int64 // nf_conntrack_max; Unknown where nothing tracks connections
	Tracked      int64
	PortLow      int64 // net.ipv4.ip_local_port_range
	PortHigh     int64
	PIDs         int64 // kernel.pid_max
	Threads      int64 // kernel.threads-max
	ThreadsThere int64 // of all processes
	Memory       int64 // bytes that can be had without swapping
}

// Unknown is a number that the system does not tell. Nothing fails by it.
const Unknown = -1

// NoLimits are the limits of a machine that tells nothing.
func NoLimits() Limits {
	return Limits{
		Descriptors: Unknown, NrOpen: Unknown, FileMax: Unknown, FilesOpen: Unknown, Watches: Unknown,
		Somaxconn: Unknown, SynBacklog: Unknown, SynCookies: Unknown, Orphans: Unknown, TimeWaits: Unknown,
		TCPPages: Unknown, Conntrack: Unknown, Tracked: Unknown, PortLow: Unknown, PortHigh: Unknown,
		PIDs: Unknown, Threads: Unknown, ThreadsThere: Unknown, Memory: Unknown,
	}
}

// What a connection and a process take, seen with 100,000 to a million connections on
// Linux 6.18.
const (
	// EndBytes is one end of an idle connection: somewhat above 5 KiB in the kernel, the rest
	// in the process.
	EndBytes = 7 << 10
	// ProcessBytes is a node or a load generator without any connection.
	ProcessBytes = 20 << 20
	// ProcessFiles is what such a process has open besides connections, and to spare.
	ProcessFiles = 64

	processThreads = 12
)

// Need is what somebody wants to do on this machine. What is zero is not asked for.
type Need struct {
	Conns       int64 // connections, as a firewall tracks them: once, wherever their ends are
	Ends        int64 // ends of connections that are here: both, of one within the machine
	Processes   int64 // that hold these ends, for what they take besides
	Descriptors int64 // of the one process that has most
	Backlog     int64 // connections that one listener has to keep while nobody accepts
	Orphans     int64 // sockets that a process leaves at once when it dies
	TimeWaits   int64 // connections that this side has closed within a minute
	Pages       int64 // of buffers, with bytes that wait in them
}

// Short returns what is too low for a need, the most telling first.
func (l Limits) Short(n Need) (low []Check) {
	for _, c := range l.Checks(n) {
		if c.Low() {
			low = append(low, c)
		}
	}
	return low
}

// Check is one limit beside the need.
type Check struct {
	Name string // the setting, as in sysctl where it is one
	What string // what it counts, to follow a number
	Have int64  // Unknown where the system does not tell
	Need int64
	Moot string // why the need does not matter here; usually empty
	Fix  string // the command that mends it; empty where none does
}

// Low says whether the limit is below the need.
func (c Check) Low() bool { return c.Have != Unknown && c.Have < c.Need && c.Moot == "" }

// String says what is too low, and what mends it: to follow the name of who needs it.
func (c Check) String() string {
	text := fmt.Sprintf("need %d %s (%s), there are %d", c.Need, c.What, c.Name, c.Have)
	if c.Fix != "" {
		text += "; raise it with: " + c.Fix
	}
	return text
}

// Checks returns every limit that matters to a need, those that suffice as well.
func (l Limits) Checks(n Need) (checks []Check) {
	add := func(name, what string, have, need int64, fix string) {
		if need > 0 {
			checks = append(checks, Check{Name: name, What: what, Have: have, Need: need, Fix: fix})
		}
	}
	sysctl := func(name, what string, have, need int64) {
		add(name, what, have, need, fmt.Sprintf("sysctl -w %s=%d", name, need))
	}
	files := max(n.Descriptors, n.Ends+n.Processes*ProcessFiles)

	add("open files of a process", "descriptors", l.Descriptors, n.Descriptors, l.RaiseDescriptors(n.Descriptors))
	sysctl("fs.nr_open", "descriptors that a process can be given", l.NrOpen, n.Descriptors)
	add("fs.file-max, unused", "open files of the machine", free(l.FileMax, l.FilesOpen), files,
		fmt.Sprintf("sysctl -w fs.file-max=%d", max(l.FilesOpen, 0)+files))
	sysctl("fs.epoll.max_user_watches", "sockets that epoll watches", l.Watches, n.Ends+n.Processes)
	sysctl("net.core.somaxconn", "connections that wait for accept", l.Somaxconn, n.Backlog)
	sysctl("net.ipv4.tcp_max_syn_backlog", "connections in their handshake", l.SynBacklog, n.Backlog)
	if n.Backlog > 0 && l.SynCookies > 0 { // the kernel then answers with cookies instead of dropping
		checks[len(checks)-1].Moot = "SYN cookies"
	}
	sysctl("net.ipv4.tcp_max_orphans", "orphaned sockets when a process dies", l.Orphans, n.Orphans)
	sysctl("net.ipv4.tcp_max_tw_buckets", "sockets in TIME_WAIT", l.TimeWaits, n.TimeWaits)
	add("net.ipv4.tcp_mem, pages", "pages of TCP memory", l.TCPPages, n.Pages,
		fmt.Sprintf("sysctl -w net.ipv4.tcp_mem='%d %d %d'", n.Pages/2, n.Pages*3/4, n.Pages))
	if l.Conntrack != Unknown {
		add("nf_conntrack_max, unused", "connections that a firewall tracks", free(l.Conntrack, l.Tracked), n.Conns,
			fmt.Sprintf("sysctl -w net.netfilter.nf_conntrack_max=%d", max(l.Tracked, 0)+n.Conns))
	}
	threads := n.Processes * processThreads
	for _, at := range []struct {
		name, what string
		limit      int64
	}{{"kernel.pid_max", "thread ids", l.PIDs}, {"kernel.threads-max", "threads", l.Threads}} {
		add(at.name+", unused", at.what, free(at.limit, max(l.ThreadsThere, 0)), threads,
			fmt.Sprintf("sysctl -w %s=%d", at.name, 2*(max(l.ThreadsThere, 0)+threads)))
	}
	memory := n.Ends*EndBytes + n.Processes*ProcessBytes
	add("memory, KiB", "KiB of memory", kib(l.Memory), (memory+1023)>>10, "")
	return checks
}

// RaiseDescriptors is the command that gives a process so many.
func (l Limits) RaiseDescriptors(need int64) string {
	command := fmt.Sprintf("ulimit -n %d", need)
	if l.NrOpen != Unknown && l.NrOpen < need {
		command = fmt.Sprintf("sysctl -w fs.nr_open=%d && ", need) + command
	}
	return command
}

func free(limit, used int64) int64 {
	if limit == Unknown || used == Unknown {
		return Unknown
	}
	return max(limit-used, 0)
}

func kib(bytes int64) int64 {
	if bytes == Unknown {
		return Unknown
	}
	return bytes >> 10
}
