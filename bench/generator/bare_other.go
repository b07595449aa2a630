//go:build !linux

package main

import "errors"

func bare([]string) error { return errors.New("it measures epoll, which is Linux's") }
