package transport

// Spared is how many bytes are kept for the next connections.
func (l *Lines) Spared() (room int) {
	for _, n := range l.spare[:cap(l.spare)] {
		if n != nil {
			room += n.room()
		}
	}
	return room
}
