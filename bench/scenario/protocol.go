package scenario

import (
	"fmt"
	"slices"

	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/bench/result"
)

// foreign reports whether the servers speak another protocol than ours.
func (c *Config) foreign() bool { return c.Protocol != foreign.Own }

// nodesSpeakIt says whether spawned nodes may speak the protocol: `serve` speaks ours.
func (c *Config) nodesSpeakIt() bool { return !c.foreign() || len(c.NodeCommand) > 0 }

// checkProtocol returns one sentence about the first thing that makes no sense with the
// protocol.
func (c *Config) checkProtocol() error {
	isMQTT := c.Protocol == foreign.MQTT
	switch {
	case !slices.Contains(foreign.Protocols, c.Protocol):
		return result.Usage("--protocol: %q is unknown; there are %s", c.Protocol, foreign.Names())
	case (c.Username != "" || c.Password != "") && !isMQTT:
		return result.Usage("--username and --password-file are for --protocol mqtt")
	case !c.foreign():
		return nil
	case c.AuthSecretFile != "":
		return result.Usage("--auth-secret-file makes tokens of our own protocol: it is not for --protocol %s", c.Protocol)
	case c.Spawn > 0 && !c.nodesSpeakIt():
		return result.Usage("--protocol %s: spawned nodes speak stormwheel; aim at a server of your own with --target", c.Protocol)
	case c.takes("kind") && c.storms() && c.Kind != "cut" && c.Kind != "flood" && !c.outside() && !c.nodesSpeakIt():
		return c.noNodes()
	case isMQTT && c.Timeout != 0:
		return result.Usage("--timeout is not for mqtt: a broker's is 1.5 times the keepalive, which is --heartbeat in whole seconds")
	case c.Timeout < 0:
		return result.Usage("--timeout: %v is below 0", c.Timeout)
	case c.Timeout != 0 && c.Timeout <= c.Heartbeat:
		return result.Usage("--timeout: %v is not above --heartbeat %v, every client would be closed", c.Timeout, c.Heartbeat)
	case isMQTT && c.Heartbeat > foreign.MaxKeepalive:
		return result.Usage("--heartbeat: %v is above %v, the longest keepalive of MQTT", c.Heartbeat, foreign.MaxKeepalive)
	}
	if err := foreign.CheckLogin(c.Username, c.Password); err != nil {
		return result.Usage("--username, --password-file: %w", err)
	}
	return nil
}

// noNodes says why a scenario that strikes a node cannot run against foreign servers.
func (c *Config) noNodes() error {
	return result.Usage("%s --kind %s strikes a node of its own, which speaks stormwheel: with --protocol %s there are --kind cut, flood and external (--storm-cmd)",
		c.Scenario, c.Kind, c.Protocol)
}

// KeepaliveNote tells what became of --heartbeat; nothing if the protocol has no say in it.
func (c *Config) KeepaliveNote() string {
	if c.Protocol != foreign.MQTT {
		return ""
	}
	whole := foreign.Keepalive(c.Heartbeat)
	note := fmt.Sprintf("keepalive %v", whole)
	if whole != c.Heartbeat {
		note += fmt.Sprintf(" (--heartbeat %v, rounded up to whole seconds)", c.Heartbeat)
	}
	return note + fmt.Sprintf("; the broker is to drop who says nothing for %v", foreign.KeepaliveTimeout(c.Heartbeat))
}
