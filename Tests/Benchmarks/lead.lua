-- Refers a new prospect with each request.
local count = 0
local run = os.getenv("RUN")
local headers = {
  ["Authorization"] = "Bearer " .. os.getenv("KEY"), ["Content-Type"] = "application/json" }

function request()
  count = count + 1
  headers["Idempotency-Key"] = run .. "-" .. count
  return wrk.format("POST", "/v1/leads", headers, string.format(
    '{"program_id": "%s", "participant_id": "%s", "email": "p%d.%s@firm%d.example",'
      .. ' "name": "Grace Hopper", "company": "Firm %d", "intro": "strong"}',
    os.getenv("PROGRAM"), os.getenv("PARTICIPANT"), count, run, count, count))
end
