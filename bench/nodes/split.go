package nodes

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"sync"
)

// A split: what nodes of a cluster send each other goes nowhere, both ways, and no connection of theirs is told. It is made
// by rules of routing, which belong to the whole network namespace and outlive this process. So it has to be one
// that was made for the run, and not that of the machine: one in which nothing but the loopback interface is up.

// Splits is nil where this process can split nodes: its network is one that was made for it. Else it says why not.
func Splits() error {
	const how = "run it in a network of its own: unshare --user --map-root-user --net sh -c 'ip link set lo up && ...'"
	if _, err := exec.LookPath("ip"); err != nil {
		return errors.New("a split needs ip, which is in iproute2 and not on this machine")
	}
	all, err := net.Interfaces()
	if err != nil {
		return fmt.Errorf("a split needs to know the network: %w", err)
	}
	for _, one := range all {
		if one.Flags&net.FlagUp != 0 && one.Flags&net.FlagLoopback == 0 {
			return fmt.Errorf("a split would change the routing of this machine, which has %s: %s", one.Name, how)
		}
	}
	if out, err := exec.Command("ip", "rule", "add", "pref", splitRule, "ipproto", "tcp", "dport", "1", "blackhole").CombinedOutput(); err != nil {
		return fmt.Errorf("a split needs rules of routing (%s): %s", strings.TrimSpace(string(out)), how)
	}
	return ip("rule", "del", "pref", splitRule)
}

const (
	splitRule = "1"  // before localRule
	localRule = "10" // where the table of the machine's own addresses is moved to, from 0, before which nothing can be
)

// Split has no node of the cluster hear another, until heal is called, which may be repeated.
func (s *Servers) Split() (heal func() error, err error) {
	if err := Splits(); err != nil {
		return nil, err
	}
	heal = sync.OnceValue(clearSplit)
	if err := s.split(); err != nil {
		return nil, errors.Join(err, heal())
	}
	return heal, nil
}

func (s *Servers) split() error {
	if out, err := exec.Command("ip", "rule", "show", "pref", localRule).Output(); err != nil || len(out) == 0 {
		if err := errors.Join(ip("rule", "add", "pref", localRule, "lookup", "local"), ip("rule", "del", "pref", "0")); err != nil {
			return err
		}
	}
	for _, n := range s.Nodes {
		_, port, err := net.SplitHostPort(n.Bus)
		if err != nil {
			return fmt.Errorf("node %s is of no cluster: %w", n.Name, err)
		}
		for _, end := range []string{"dport", "sport"} {
			if err := ip("rule", "add", "pref", splitRule, "ipproto", "tcp", end, port, "blackhole"); err != nil {
				return err
			}
		}
	}
	return nil
}

// clearSplit removes all rules of a split.
func clearSplit() error {
	for {
		out, err := exec.Command("ip", "rule", "show", "pref", splitRule).Output()
		if err != nil {
			return fmt.Errorf("ip rule: %w", err)
		}
		if len(out) == 0 {
			return nil
		}
		if err := ip("rule", "del", "pref", splitRule); err != nil {
			return err
		}
	}
}

func ip(args ...string) error {
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %s", strings.Join(args, " "), strings.TrimSpace(string(out)))
	}
	return nil
}
