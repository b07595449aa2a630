import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.concurrent.TimeUnit;

/**
 * The Netty peer: it answers HELLO and PING of docs/PROTOCOL.md, and an IdleStateHandler
 * closes who has sent nothing for the timeout. Its commands and its ready line are those
 * of `peers serve --commands`.
 */
public final class Server {
    public static void main(String[] args) throws Exception {
        String[] address = args[0].split(":");
        int loops = Integer.parseInt(args[1]);
        int heartbeat = Integer.parseInt(args[2]);
        int timeout = Integer.parseInt(args[3]);
        ServerBootstrap server = new ServerBootstrap()
            .group(new NioEventLoopGroup(1), new NioEventLoopGroup(loops))
            .channel(NioServerSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, 65535)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childHandler(new ChannelInitializer<SocketChannel>() {
                @Override
                protected void initChannel(SocketChannel channel) {
                    channel.pipeline().addLast(
                        new IdleStateHandler(timeout, 0, 0, TimeUnit.MILLISECONDS),
                        new LengthFieldBasedFrameDecoder((64 << 10) + Frames.OVERHEAD, 4, 4, Frames.TRAILER, 0),
                        new Answers(heartbeat, timeout));
                }
            });
        server.bind(address[0], Integer.parseInt(address[1])).sync();
        System.out.println("stormwheel ready node=netty listen=" + args[0] + " pid=" + ProcessHandle.current().pid());
        obey();
    }

    /** Collects garbage at each line of standard input; a node without one runs until it is killed. */
    private static void obey() throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        boolean commanded = false;
        for (; in.readLine() != null; commanded = true) {
            System.gc();
            System.out.println("ok");
        }
        if (commanded) {
            System.exit(0);
        }
        Thread.sleep(Long.MAX_VALUE);
    }

    private static final class Answers extends ChannelInboundHandlerAdapter {
        private final int heartbeat;
        private final int timeout;

        Answers(int heartbeat, int timeout) {
            this.heartbeat = heartbeat;
            this.timeout = timeout;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf frame = (ByteBuf) message;
            try {
                if (!Frames.valid(frame)) {
                    ctx.close();
                    return;
                }
                switch (Frames.type(frame)) {
                    case Frames.HELLO:
                        ctx.write(Frames.welcome(ctx.alloc(), heartbeat, timeout), ctx.voidPromise());
                        break;
                    case Frames.PING:
                        ctx.write(Frames.pong(ctx.alloc(), Frames.token(frame), heartbeat, timeout), ctx.voidPromise());
                        break;
                    default:
                }
            } finally {
                frame.release();
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            ctx.flush();
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof IdleStateEvent) {
                ctx.close();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }
}
