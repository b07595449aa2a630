package link

import (
	"errors"
	"net"
	"slices"
	"syscall"
)

// Fault says what an error is about.
type Fault uint8

const (
	// FaultPeer: the node, or whoever answers for it. It refused, reset, or said nothing.
	FaultPeer Fault = iota
	// FaultPath: the way from here to this one destination, of which another may know nothing.
	FaultPath
	// FaultHost: this machine or its owner, wherever the connection was to lead.
	FaultHost
)

// FaultError is an error of which the owner knows what it is about.
type FaultError struct {
	Fault Fault
	Err   error
}

func (e *FaultError) Error() string { return e.Err.Error() }
func (e *FaultError) Unwrap() error { return e.Err }

// hostErrors are about this machine. No local port is one of them if the kernel says so
// before it looks at the destination.
var hostErrors = []syscall.Errno{
	syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS, syscall.EADDRINUSE,
	syscall.ECONNABORTED, // by the system, as when the interface of the connection goes
}

// pathErrors are about one destination, also those that look like the whole network's: a host
// with one address family has no route to any address of the other, and all to its own. Local
// ports run out for one destination at a time.
var pathErrors = []syscall.Errno{
	syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN,
	syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT, syscall.EPROTONOSUPPORT,
	syscall.EINVAL, syscall.ENODEV, syscall.ENXIO, // a zone that is missing here
	syscall.EACCES, syscall.EPERM, // a local firewall
}

// FaultOf is the one table of what errors are about. A name that cannot be resolved says
// nothing of other names, whatever the resolver's words for it: a name server that fails for
// one zone and one that is not there look the same from here. If it is the resolver, all names
// fail, and that is known soon enough; see Disconnected.
func FaultOf(err error) Fault {
	var known *FaultError
	if errors.As(err, &known) {
		return known.Fault
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		switch {
		case slices.Contains(hostErrors, errno):
			return FaultHost
		case slices.Contains(pathErrors, errno):
			return FaultPath
		}
		return FaultPeer
	}
	var dns *net.DNSError
	var address *net.AddrError
	if errors.As(err, &dns) || errors.As(err, &address) {
		return FaultPath
	}
	return FaultPeer
}
