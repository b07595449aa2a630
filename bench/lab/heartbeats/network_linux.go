package heartbeats

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// inOwnNetwork has a process start in a network of its own, which ends with it.
func inOwnNetwork(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
}

// path is a way between a client's machine and this one, over a box in between: three network
// namespaces and two cables.
type path struct {
	client, box *exec.Cmd // which hold the namespaces
	here        string    // this machine's address
	number      int
}

// newPath makes one; its cables are gone when its holders are.
func newPath(number int) (p *path, err error) {
	p = &path{here: fmt.Sprintf("10.71.%d.2", 2*number+1), number: number}
	if err = ip("link", "set", "lo", "up"); err != nil {
		return nil, err
	}
	if p.client, err = holder(); err != nil {
		return nil, err
	}
	if p.box, err = holder(); err != nil {
		return nil, err
	}
	near, far, box := fmt.Sprint("near", number), fmt.Sprint("far", number), fmt.Sprint(p.box.Process.Pid)
	in := func(c *exec.Cmd, words ...string) []string {
		return append([]string{"nsenter", "-t", fmt.Sprint(c.Process.Pid), "-n"}, words...)
	}
	for _, words := range [][]string{
		{"ip", "link", "add", near, "type", "veth", "peer", "name", "near", "netns", box},
		{"ip", "addr", "add", p.here + "/24", "dev", near}, {"ip", "link", "set", near, "up"},
		in(p.box, "ip", "link", "add", "far", "type", "veth", "peer", "name", far, "netns", fmt.Sprint(p.client.Process.Pid)),
		in(p.box, "ip", "addr", "add", fmt.Sprintf("10.71.%d.1/24", 2*number+1), "dev", "near"), in(p.box, "ip", "link", "set", "near", "up"),
		in(p.box, "ip", "addr", "add", fmt.Sprintf("10.71.%d.1/24", 2*number), "dev", "far"), in(p.box, "ip", "link", "set", "far", "up"),
		in(p.client, "ip", "addr", "add", fmt.Sprintf("10.71.%d.2/24", 2*number), "dev", far), in(p.client, "ip", "link", "set", far, "up"),
		in(p.client, "ip", "route", "add", "default", "via", fmt.Sprintf("10.71.%d.1", 2*number)),
		{"ip", "route", "add", fmt.Sprintf("10.71.%d.0/24", 2*number), "via", fmt.Sprintf("10.71.%d.1", 2*number+1)},
	} {
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w: %s", strings.Join(words, " "), err, out)
		}
	}
	return p, p.forward(true)
}

func ip(words ...string) error {
	if out, err := exec.Command("ip", words...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(words, " "), err, out)
	}
	return nil
}

// holder is a process that does nothing in a network of its own, and ends with this one.
func holder() (*exec.Cmd, error) {
	c := exec.Command("cat")
	inOwnNetwork(c)
	if _, err := c.StdinPipe(); err != nil {
		return nil, err
	}
	return c, c.Start()
}

// forward has the box pass packets, or drop them without a word.
func (p *path) forward(on bool) error {
	value := map[bool]string{true: "1", false: "0"}[on]
	return exec.Command("nsenter", "-t", fmt.Sprint(p.box.Process.Pid), "-n", "sh", "-c", "echo "+value+" > /proc/sys/net/ipv4/ip_forward").Run()
}

// forgets has the box forget what has been silent for natMemory, as a NAT does that has no room for
// more: it drops what comes after that. This machine has no netfilter, whose conntrack is the usual
// one; here all that passes is one connection, and the box's counter tells when it was silent.
func (p *path) forgets() {
	go func() {
		last, since := "", time.Now()
		for range time.Tick(50 * time.Millisecond) {
			now := p.packets()
			if now != last {
				last, since = now, time.Now()
			}
			if time.Since(since) > natMemory {
				_ = p.forward(false)
				return
			}
		}
	}()
}

// packets is how many the box has forwarded (ForwDatagrams): what its interfaces count has the
// neighbours' ARP in it.
func (p *path) packets() string {
	const forwarded = 6 // of the fields behind "Ip:"
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/snmp", p.box.Process.Pid))
	last := ""
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > forwarded && f[0] == "Ip:" {
			last = f[forwarded] // the second line has the values
		}
	}
	return last
}

// dial connects from the client's machine.
func (p *path) dial(ctx context.Context, network, addr string) (nc net.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never again: the thread ends, in the wrong network
		var ns *os.File
		if ns, err = os.Open(fmt.Sprintf("/proc/%d/ns/net", p.client.Process.Pid)); err != nil {
			return
		}
		defer ns.Close()
		if err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			return
		}
		// The socket is made on this thread, which the runtime promises of a dialer without alternatives.
		d := net.Dialer{FallbackDelay: -1, KeepAlive: -1}
		nc, err = d.DialContext(ctx, network, addr)
	}()
	<-done
	return nc, err
}
