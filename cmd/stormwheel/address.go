package main

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// bindable checks an address to listen at: the host may be left out, and port 0 takes a
// free one.
func bindable(flag, addr string) error {
	if _, _, err := splitAddress(addr); err != nil {
		return fmt.Errorf("%s: %q %w", flag, addr, err)
	}
	return nil
}

// reachable checks addresses that may be unix sockets, too.
func reachable(flag string, addrs []string) error {
	return dialable(flag, slices.DeleteFunc(slices.Clone(addrs), isUnix))
}

func isUnix(addr string) bool { return strings.HasPrefix(addr, "unix:") }

// dialable checks addresses to connect to.
func dialable(flag string, addrs []string) error {
	for _, addr := range addrs {
		host, port, err := splitAddress(addr)
		switch {
		case err != nil:
		case host == "":
			err = errors.New("has no host")
		case port == 0:
			err = errors.New("has port 0")
		default:
			continue
		}
		return fmt.Errorf("%s: %q %w", flag, addr, err)
	}
	return nil
}

// splitAddress returns errors that continue a sentence about addr.
func splitAddress(addr string) (host string, port uint64, err error) {
	host, digits, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, errors.New("is not host:port")
	}
	if port, err = strconv.ParseUint(digits, 10, 16); err != nil {
		return "", 0, errors.New("has no port of 0 to 65535")
	}
	return host, port, nil
}
