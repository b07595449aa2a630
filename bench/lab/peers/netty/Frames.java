import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/** The few frames of docs/PROTOCOL.md that a heartbeat needs. */
final class Frames {
    static final int HEADER = 8;
    static final int TRAILER = 4;
    static final int OVERHEAD = HEADER + TRAILER;
    static final int HELLO = 1;
    static final int PING = 3;

    private static final int WELCOME = 2;
    private static final int PONG = 4;

    private Frames() {}

    static int type(ByteBuf frame) {
        return frame.getByte(frame.readerIndex() + 2);
    }

    static long token(ByteBuf ping) {
        return ping.getLong(ping.readerIndex() + HEADER);
    }

    /** Whether magic, framing version, flags and checksum are right. */
    static boolean valid(ByteBuf frame) {
        int start = frame.readerIndex();
        int end = frame.writerIndex() - TRAILER;
        return frame.getByte(start) == 0x53 && frame.getByte(start + 1) == 0x10 && (frame.getByte(start + 3) & ~1) == 0
            && (int) Xxh64.hash(frame, start, end - start) == frame.getInt(end);
    }

    static ByteBuf pong(ByteBufAllocator alloc, long token, int heartbeat, int timeout) {
        ByteBuf frame = begin(alloc, PONG, 28);
        frame.writeLong(token);
        return finish(terms(frame, heartbeat, timeout));
    }

    static ByteBuf welcome(ByteBufAllocator alloc, int heartbeat, int timeout) {
        ByteBuf frame = begin(alloc, WELCOME, 52);
        frame.writeInt(1 << 24); // protocol version 1
        frame.writeInt(0); // no features
        frame.writeLong(0).writeLong(0); // no session that could be named
        terms(frame, heartbeat, timeout);
        return finish(frame.writeLong(System.currentTimeMillis()));
    }

    private static ByteBuf terms(ByteBuf frame, int heartbeat, int timeout) {
        return frame.writeInt(heartbeat).writeInt(timeout).writeLong(0).writeInt(1 << 16); // no window, no patience, number 1
    }

    private static ByteBuf begin(ByteBufAllocator alloc, int type, int payload) {
        return alloc.ioBuffer(OVERHEAD + payload).writeByte(0x53).writeByte(0x10).writeByte(type).writeByte(0).writeInt(payload);
    }

    private static ByteBuf finish(ByteBuf frame) {
        return frame.writeInt((int) Xxh64.hash(frame, 0, frame.writerIndex()));
    }
}
