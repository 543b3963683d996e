-- Asks who may work an account: a registered one, another each time.
local key, count = os.getenv("KEY"), tonumber(os.getenv("COUNT"))
local headers = { Authorization = "Bearer " .. key }
local number = 0

request = function()
    -- A prime far from any count: all accounts, in no order.
    number = (number + 7368787) % count
    return wrk.format("GET", "/v1/protection?domain=www.firm-" .. number .. ".example", headers)
end
