package main

import "time"

// backstopFlags are those of serve and connect for what the kernel knows of dead peers.
type backstopFlags struct {
	TCPKeepalive   time.Duration `name:"tcp-keepalive" placeholder:"DURATION" help:"Silence after which the kernel probes a connection; it ends when five probes, a fifth of it apart, find nobody. A backstop behind the heartbeat, which sees more; 5s at least. Default: no probes."`
	TCPUserTimeout time.Duration `name:"tcp-user-timeout" placeholder:"DURATION" help:"How long the kernel keeps a connection of which nobody acknowledges what was sent, 1s at least. Default: its retries, 15 minutes."`
}
