-- Follows a link as ever new visitors; with VISITOR=one always as the same.
local count
local headers = { ["User-Agent"] = os.getenv("AGENT"), ["Accept"] = "text/html" }
local isOne = os.getenv("VISITOR") == "one"

math.randomseed(os.time())
count = math.random(0, 2 ^ 24)

function request()
  if not isOne then count = count + 1 end
  headers["X-Forwarded-For"] = string.format(
    "%d.%d.%d.%d", 20 + math.floor(count / 2 ^ 24) % 100, math.floor(count / 2 ^ 16) % 256,
    math.floor(count / 2 ^ 8) % 256, count % 256)
  return wrk.format("GET", "/r/ada", headers)
end
