"""What users of redis-py do: every type, pipelines, transactions, scripts, streams, pub/sub."""

import sys
import threading

import redis

port, protocol = int(sys.argv[1]), int(sys.argv[2])
r = redis.Redis(port=port, protocol=protocol, decode_responses=True, socket_timeout=10)


def same(got, wanted):
    assert got == wanted, f"{got!r}, not {wanted!r}"


same(r.ping(), True)
same(r.set("s", "1", ex=100, nx=True), True)
same((r.incr("s", 4), r.ttl("s") > 90, r.get("none")), (5, True, None))
same(r.mset({"a": 1, "b": 2}), True)
same(r.mget("a", "b", "none"), ["1", "2", None])

same(r.hset("h", mapping={"f": "v", "n": 1}), 2)
same((r.hgetall("h"), r.hincrbyfloat("h", "n", 0.5)), ({"f": "v", "n": "1"}, 1.5))
same((r.hexpire("h", 100, "f"), r.httl("h", "f", "none")), ([1], [100, -2]))

same(r.rpush("l", *range(300)), 300)
same((r.lrange("l", -2, -1), r.lpop("l", 2), r.lpos("l", 7)), (["298", "299"], ["0", "1"], 5))
same(r.blpop(["none", "l"], timeout=1), ("l", "2") if protocol == 2 else ["l", "2"])

same((r.sadd("x", *"abcdef"), r.sadd("y", *"efgh")), (6, 4))
same((r.sinter("x", "y"), r.sintercard(2, ["x", "y"]), r.smismember("x", ["a", "z"])), ({"e", "f"}, 2, [1, 0]))

same(r.zadd("z", {"one": 1, "two": 2, "half": 0.5}), 3)
pair = tuple if protocol == 2 else list
same(r.zrange("z", 0, -1, withscores=True), [pair(p) for p in (("half", 0.5), ("one", 1.0), ("two", 2.0))])
same((r.zscore("z", "two"), r.zrank("z", "two"), r.zincrby("z", 1, "one")), (2.0, 2, 2.0))
same(r.zrangebyscore("z", "(0.5", "+inf"), ["one", "two"])

same(r.xgroup_create("st", "g", id="0", mkstream=True), True)
ids = [r.xadd("st", {"n": n}) for n in range(3)]
got = r.xreadgroup("g", "c", {"st": ">"}, count=2)
entries = got[0][1] if protocol == 2 else got["st"][0]
same([entry[0] for entry in entries], ids[:2])
same((r.xack("st", "g", ids[0]), r.xpending("st", "g")["pending"], r.xlen("st")), (1, 1, 3))
same(r.xautoclaim("st", "g", "d", 0)[1][0][0], ids[1])

same((r.setbit("bits", 7, 1), r.bitcount("bits"), r.pfadd("hll", *range(100)), abs(r.pfcount("hll") - 100) < 5), (0, 1, 1, True))
same(r.geoadd("g", (13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania")), 2)
same(round(r.geodist("g", "Palermo", "Catania", "km")), 166)

# Optimistic locking: the first attempt meets another writer.
attempts = 0
def transfer(pipe):
    global attempts
    attempts += 1
    balance = int(pipe.get("a"))
    if attempts == 1:
        r.set("a", 10)
    pipe.multi()
    pipe.set("a", balance + 1)
r.transaction(transfer, "a")
same((attempts, r.get("a")), (2, "11"))

with r.pipeline(transaction=False) as pipe:
    for n in range(1000):
        pipe.set(f"p:{n}", n)
    same(len(pipe.execute()), 1000)
same(len(set(r.scan_iter("p:*", count=50))), 1000)

add = r.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
same((add(keys=["a"], args=[5]), add(keys=["a"], args=[5])), (16, 21))
try:
    r.lpush("s", 1)
    raise AssertionError("a list command on a string succeeded")
except redis.ResponseError as e:
    assert str(e).startswith("WRONGTYPE"), e

with r.lock("lock", timeout=5):
    same(r.lock("lock", timeout=5).acquire(blocking=False), False)

heard = []
sub = r.pubsub()
sub.subscribe(**{"news": lambda m: heard.append(m["data"])})
thread = sub.run_in_thread(sleep_time=0.01)
waiting = threading.Event()
for _ in range(300):
    if r.publish("news", "hello") and heard:
        break
    waiting.wait(0.02)
thread.stop()
thread.join()
same(heard[0], "hello")

info = r.info()
same((info["role"], info["db0"]["keys"] > 1000), ("master", True))
same(r.flushall(), True)
