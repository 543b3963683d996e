-- Records a sale with each request, for one partner after the other.
local count = 0
local run = os.getenv("RUN")
local partners = tonumber(os.getenv("PARTNERS"))
local headers = {
  ["Authorization"] = "Bearer " .. os.getenv("KEY"), ["Content-Type"] = "application/json" }

function request()
  count = count + 1
  return wrk.format("POST", "/v1/conversions", headers, string.format(
    '{"external_id": "order-%s-%d", "ref": "partner-%d", "kind": "purchase",'
      .. ' "customer": {"external_id": "customer-%s-%d"},'
      .. ' "amount": {"amount": %d, "currency": "USD"}}',
    run, count, count % partners, run, count, 1000 + count % 9000))
end
